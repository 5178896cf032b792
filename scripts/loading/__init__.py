"""Visitors of a server under load: what they ask, whether each gets its own answer, what the server holds."""
