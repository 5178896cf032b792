"""Which indexes a server has, how it starts, and the child processes that build more."""
