"""The view Your data: a visitor's file, from upload to a searchable, private index."""
