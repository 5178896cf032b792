"""HTTP around the page: the list of middlewares, and what they do."""
