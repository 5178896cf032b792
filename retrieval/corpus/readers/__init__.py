"""Readers of tables: one module per format, all of them streaming.

`open_reader` looks at a path and returns the reader for it. A reader knows nothing of texts and bodies: it yields the
columns unchanged, in types that an index can store, every batch with the same schema.
"""

from __future__ import annotations

from retrieval.corpus.readers.base import Reader, ReadOptions
from retrieval.corpus.readers.opening import is_hub_id, open_plain_file, open_reader

__all__ = ["ReadOptions", "Reader", "is_hub_id", "open_plain_file", "open_reader"]
