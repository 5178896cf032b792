"""The endpoints for programs: plain values, for `gradio_client`, for HTTP, and as MCP tools."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import gradio as gr

from retrieval.errors import RetrievalError
from retrieval.evaluation.comparison.compare import compare
from retrieval.evaluation.cost import ARTICLE_PRICE
from retrieval.serving.frontiers import IndexFrontiers
from retrieval.serving.library import Library
from retrieval.serving.metrics import counting_failures, timing
from retrieval.serving.turns import HEAVY
from retrieval.ui.compare.words import compare_values
from retrieval.ui.frontier.values import frontier_values, wish_of
from retrieval.ui.markup import error_words
from retrieval.ui.request_limits import bounded, served_query, served_settings
from retrieval.ui.searching import search_values

_LOG = logging.getLogger(__name__)


class Api:
    """Answers the endpoints. With `--mcp` each is a tool, described by its docstring."""

    def __init__(self, library: Library, frontiers: IndexFrontiers) -> None:
        self._library, self._frontiers = library, frontiers
        gr.api(self.search, api_name="search", queue=False)
        gr.api(self.compare, api_name="compare", queue=False)
        gr.api(self.indexes, api_name="indexes", queue=False)
        gr.api(self.frontier, api_name="frontier", queue=False)

    async def search(
        self,
        query: str,
        top_k: int = 10,
        num_candidates: int | None = None,
        rescore_multiplier: int | None = None,
        asymmetric: bool = True,
        rescore: bool = True,
        index: str | None = None,
        scan: str | None = None,
        probes: int | None = None,
    ) -> dict[str, Any]:
        """Search a collection of documents by meaning, not by keywords: describe what you want in plain words.

        The best matches come first, each with its text, its code or passage where it has one, and a link. The
        answer takes milliseconds. Call `indexes` to see which collections there are.

        Args:
            query: the question, in any words, such as "read a csv file into a table".
            top_k: how many hits, at most 50; the members of a group count once.
            num_candidates: how many distinct texts the Hamming stage passes on; at most 10,000; by default what the
                index recommends.
            rescore_multiplier: `rescore_multiplier * top_k` int8 vectors are read from disk; at most 50.
            asymmetric: choose those by the float32 query against the bits, rather than by Hamming distance.
            rescore: score with int8; without it, scores are estimates from the bits.
            index: the name of a collection, as `indexes` gives it; by default the one that the page opens with.
            scan: how candidates are found: "hamming" (the default), "float-bits", or "lists", which not every
                collection has; the answer then says so.
            probes: how many lists the scan "lists" visits, at most 10,000; by default as many as the query needs.

        Returns:
            query, hits (rank, row, score, text, body, url, ...), latency in milliseconds, and the settings used.
        """
        given = {
            "top_k": top_k,
            "num_candidates": num_candidates,
            "rescore_multiplier": rescore_multiplier,
            "asymmetric": asymmetric,
            "rescore": rescore,
            "scan": scan,
            "probes": probes,
        }
        with _told():
            return await search_values(self._library, query, given, index)

    def compare(self, query: str, top_k: int = 10, index: str | None = None) -> dict[str, Any]:
        """Answer one query at every precision, and report what each keeps of the float32 answer, its time and bytes.

        The ways are float32, int8 over all vectors, bits alone, bits rescored by raw int8 codes as the 2024 demos did
        it (sentence-transformers has de-quantized them since version 6.2), the float query against all bits, and
        ours.

        Args:
            query: the question, in any words.
            top_k: how many texts per way, at most 20.
            index: the name of a collection, as `indexes` gives it; by default the one that the page opens with.

        Returns:
            for each way: its texts with scores, overlap with float32, what it missed, milliseconds and bytes.
        """
        with _told(), counting_failures():
            searcher = self._library.open(index)
            settings = served_settings(searcher.defaults, {"top_k": top_k})
            with timing("compare"):
                comparison = HEAVY.call(partial(compare, searcher, served_query(query), settings))
            found = compare_values(comparison)
        return cast("dict[str, Any]", bounded(found))

    def indexes(self) -> list[dict[str, Any]]:
        """List the collections of documents that can be searched here.

        Returns:
            name (what `search` takes as `index`), title, documents; the default one first.
        """
        return [
            {"name": entry.name, "title": entry.title, "documents": entry.row_count}
            for entry in self._library.entries()
        ]

    def frontier(
        self,
        index: str | None = None,
        target: float = 0.95,
        scarce: str = "ram",
        num_vectors: int | None = None,
        price: float = ARTICLE_PRICE,
    ) -> dict[str, Any]:
        """Measure how much precision the vectors of a collection need, and recommend settings for a vector database.

        Recall@10 of every scheme, alone, rescored and on the first dimensions, measured on some of the vectors. The
        first call for a collection takes up to two minutes, later ones reuse its measurement.

        Args:
            index: the name of a collection, as `indexes` gives it; by default the one that the page opens with.
            target: the recall to reach, from 0.5 to 0.9999.
            scarce: what to spend least: "ram", "disk reads" or "cpu".
            num_vectors: how many vectors there will be eventually; by default as many as the collection has.
            price: dollars per GB of RAM per month.

        Returns:
            points (scheme, dim, rescoring, oversampling, recall with its interval, bytes), growth, recommendation,
            and settings by database.
        """
        with _told(), counting_failures():
            searcher = self._library.open(index)
            wish = wish_of(target, scarce, len(searcher) if num_vectors is None else num_vectors, price)
            return frontier_values(self._frontiers.of(searcher), wish)


@contextmanager
def _told() -> Iterator[None]:
    """Turns failures into the one line that a program gets."""
    try:
        yield
    except RetrievalError as error:
        raise gr.Error(error_words(error), print_exception=False) from error
    except Exception as error:
        _LOG.exception("a call of the API failed")
        raise gr.Error("the call failed on the server", print_exception=False) from error
