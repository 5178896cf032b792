"""A search for a program, through any endpoint: the same limits, the same answer, the same queue."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from functools import partial
from typing import Any, cast

from starlette.concurrency import run_in_threadpool

from retrieval.results import Hit, SearchResponse
from retrieval.search.searcher import Searcher
from retrieval.serving.library import Library
from retrieval.serving.metrics import count_search, counting_failures, timing
from retrieval.serving.turns import SEARCHES, Turns
from retrieval.ui.request_limits import bounded, served_query, served_settings


async def search_values(
    library: Library, query: str, given: Mapping[str, Any], index: str | None, turns: Turns = SEARCHES
) -> dict[str, Any]:
    """Returns the answer to a query as plain values, ready for JSON. The event loop continues meanwhile.

    Args:
        library: the indexes.
        query: the question, unchecked.
        given: settings by name, unchecked; None means not given.
        index: the name of an index; None for the default one.
        turns: where the search waits for its turn.

    Raises:
        QueryError: if the query or a setting cannot be used, or is beyond the limits.
        BundleMissingError: if there is no such index.
        BusyError: if too many searches are already waiting.
        RetrievalError: if the index cannot be opened.
    """
    with counting_failures():
        is_open = library.is_open(index)
        searcher = library.open(index) if is_open else await run_in_threadpool(library.open, index)
        settings = served_settings(searcher.defaults, given)
        with timing("search"):
            return await turns.run(partial(_answered, searcher, served_query(query), dataclasses.asdict(settings)))


def _answered(searcher: Searcher, query: str, settings: dict[str, Any]) -> dict[str, Any]:
    response = searcher.search(query, **settings)
    count_search(response)
    return cast("dict[str, Any]", bounded(response_values(response)))


def response_values(response: SearchResponse) -> dict[str, Any]:
    """Returns a response as plain values, ready for JSON."""
    return {
        "query": response.query,
        "hits": [_hit_values(hit) for hit in response.hits],
        "latency": {"total_ms": response.latency.total_ms, "stages": dict(response.latency.stages)},
        "settings": dataclasses.asdict(response.settings),
        "num_documents": response.num_documents,
        "num_candidates": response.num_candidates,
        "int8_rows_read": response.int8_rows_read,
        "notes": list(response.notes),
        "vector_was_kept": response.vector_was_kept,
    }


def _hit_values(hit: Hit) -> dict[str, Any]:
    document = hit.document
    return {
        "rank": hit.rank,
        "row": hit.row,
        "score": hit.score,
        "is_estimate": hit.is_estimate,
        "text": document.text,
        "body": document.body,
        "url": document.url,
        "group": document.group,
        "quality": document.quality,
        "hamming_distance": hit.hamming_distance,
        "binary_rank": hit.binary_rank,
        "member_rows": list(hit.member_rows),
    }
