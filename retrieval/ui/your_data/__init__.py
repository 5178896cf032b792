"""The view Your data: a visitor's own file, from upload to a searchable, private index."""
