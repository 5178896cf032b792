"""The queries of a benchmark: read from files or sampled from the index, encoded, and described without a path."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from retrieval import QueryError, Searcher
from retrieval.benchmark.quick import query_vectors
from retrieval.benchmark.sampled_queries import sampled_queries
from scripts.bench.job import QuerySet
from scripts.report.terminal import read_queries


def read_query_sets(files: Sequence[Path], searcher: Searcher, limit: int, seed: int) -> dict[str, QuerySet]:
    """Returns the queries by name of their file; texts of the corpus when there is no file.

    An index without a model is asked with vectors of its own, a little noise added.

    Raises:
        QueryError: if a file cannot be read or holds no query, two have one name, or files cannot be encoded.
    """
    if searcher.encoder is None:
        if files:
            raise QueryError(
                f"{searcher.manifest.corpus.title} has no model, so texts cannot be asked: leave --queries out."
            )
        sampled = sampled_queries(searcher, limit, seed)
        return {sampled.name: QuerySet((), query_vectors(searcher, sampled.queries))}
    if not files:
        sampled = sampled_queries(searcher, limit, seed)
        return {sampled.name: QuerySet(tuple(sampled.queries), query_vectors(searcher, sampled.queries))}
    texts: dict[str, list[str]] = {}
    for file in files:
        if file.stem in texts:
            raise QueryError(f"two files of queries are called {file.stem}: rename one, figures go by that name.")
        texts[file.stem] = read_queries(file)[:limit]
    return {name: QuerySet(tuple(lines), query_vectors(searcher, lines)) for name, lines in texts.items()}


def describe(query_sets: Mapping[str, QuerySet]) -> dict[str, Any]:
    """Returns how many queries each set has, and the SHA-256 of its texts, one per line, or of its vectors."""
    return {
        name: {
            "count": len(queries.vectors),
            "sha256": hashlib.sha256(
                "\n".join(queries.texts).encode("utf-8", "surrogatepass")
                if queries.texts
                else queries.vectors.tobytes()
            ).hexdigest(),
        }
        for name, queries in query_sets.items()
    }
