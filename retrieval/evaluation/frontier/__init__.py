"""Which precision a set of vectors survives: recall against bytes, measured on the vectors themselves."""
