"""Searching an index: `searcher` leads through ranking and rescoring, and `exact_scan` gives the exact answer."""
