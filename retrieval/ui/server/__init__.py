"""What stands between the network and the page: the list of middlewares, and what they do."""
