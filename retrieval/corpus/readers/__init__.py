"""Readers of tables: one module per format, all of them streaming.

`open_reader` looks at a path and returns the reader for it. A reader knows nothing of texts and bodies: it yields the
columns unchanged, in types that an index can store, every batch with the same schema.
"""
