"""Where an index lies: what the search asks of it is the same for files on this machine and for another engine."""
