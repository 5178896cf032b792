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
    texts = {name: lines[:limit] for name, lines in _read_texts(files).items()}
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


def _read_texts(files: Sequence[Path]) -> dict[str, list[str]]:
    sets: dict[str, list[str]] = {}
    for file in files:
        try:
            lines = [line for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
        except (OSError, UnicodeDecodeError) as error:
            raise QueryError(f"cannot read the queries in {file}: {error}") from error
        if not lines:
            raise QueryError(f"{file} holds no query: one per line is needed.")
        if file.stem in sets:
            raise QueryError(f"two files of queries are called {file.stem}: rename one, figures go by that name.")
        sets[file.stem] = lines
    return sets
