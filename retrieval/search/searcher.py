"""The search path: a text is encoded, and its vector is searched as in `vector_searcher`, timed stage by stage.

The page, the scripts, the benchmarks and the tests all search through `Searcher`.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Self, Unpack

from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import Manifest
from retrieval.encoding.encoder import ChoosesCores, Encoder, load_encoder
from retrieval.errors import BundleIncompatibleError, QueryError, memory_errors
from retrieval.quantization import Float32s
from retrieval.results import Latency, MemoryReport, SearchKnobs, SearchResponse
from retrieval.search.measurement import StageClock, process_rss_bytes
from retrieval.search.memory_report import memory_report
from retrieval.search.query_checks import several, usable_text
from retrieval.search.query_notes import query_notes
from retrieval.search.query_vectors import QueryVectors
from retrieval.search.scans.scan import Queries
from retrieval.search.stores.opening import Place, open_store
from retrieval.search.stores.store import Store
from retrieval.search.vector_searcher import VectorSearcher


class Searcher(VectorSearcher):
    """An opened index and its encoder, searched by texts and by vectors. Safe to use from many threads."""

    def __init__(self, index: Bundle | Store, encoder: Encoder | None, encoder_bytes: int = 0) -> None:
        """Takes an index, as a folder or an opened store, and the encoder of its model."""
        super().__init__(index)
        self.encoder = encoder
        self._encoder_bytes = encoder_bytes
        self.query_vectors: QueryVectors | None = None
        """Cached vectors of earlier queries; None unless a server sets it: every text is encoded."""

    @classmethod
    @memory_errors("to open the index")
    def open(
        cls, path: Place, *, encoder: Encoder | None = None, verify: str = "background", scan: str | None = None
    ) -> Self:
        """Returns the searcher of the bundle in `path`: checked and warm.

        Args:
            path: the folder of a built index, or the address of one in Milvus, `milvus://host:port/collection`.
            encoder: the encoder to use; by default the one of the model in the manifest. An index of given vectors may
                have none, and is then searched with `search_vector`, or takes any encoder of its dimension.
            verify: `background` checks the big files against their checksums while queries are answered, and takes
                the index out of service if that fails; `now` checks them first; `never` leaves them unchecked.
            scan: the default scan of searches, one of `scans`; if not given, `hamming`. Only what it needs is
                prepared: with `lists`, the bits take RAM once, in their lists.

        Raises:
            QueryError: if the index has no such scan.
            BundleError: if the bundle is missing, altered, or of another format version, model or dimension.
            EngineError: if the engine that holds the index does not answer, or fails.
            ModelError: if the model cannot be found or downloaded.
            ScarceMemoryError: if memory runs out.
        """
        store = open_store(path, verify)
        manifest = store.manifest
        before = process_rss_bytes()
        if encoder is None and manifest.has_model:
            encoder = load_encoder(manifest.model_id, expected_sha256=manifest.weights_sha256)
        if encoder is not None and not _fits(encoder, manifest):
            raise BundleIncompatibleError(
                f"{path} was built with {manifest.model_id} ({manifest.weights_sha256[:16]}…, {manifest.dim} "
                f"dimensions), the encoder is {encoder.model_id} ({encoder.weights_sha256[:16]}…, {encoder.dim}): "
                f"open it with its own model, or build the index again."
            )
        searcher = cls(store, encoder, max(0, process_rss_bytes() - before))
        if scan is not None:
            searcher.defaults = searcher._settings(None, {"scan": scan})
        store.prepare(verify, searcher.defaults.scan, searcher._choose_cores)
        return searcher

    @property
    def can_encode(self) -> bool:
        """Returns whether texts can be searched for; without a model, only `search_vector` and `more_like` answer."""
        return self.encoder is not None

    @property
    def notes(self) -> tuple[str, ...]:
        """Returns what the user should know about this searcher."""
        of_encoder = self.encoder.note if self.encoder is not None else None
        return tuple(note for note in (of_encoder, self.manifest.warning, *self.store.notes) if note)

    @memory_errors("to search")
    def search(self, query: str, top_k: int | None = None, **knobs: Unpack[SearchKnobs]) -> SearchResponse:
        """Returns the documents closest to `query`; a setting of None means the default of this index.

        Args:
            query: any text; anything beyond the model's length is cut, with a note.
            top_k: how many hits; groups count once when the corpus has groups.
            num_candidates: how many distinct texts the Hamming scan passes on, at least `top_k`; the other scans pass
                on what is rescored.
            rescore_multiplier: `rescore_multiplier * top_k` int8 rows are read and rescored.
            asymmetric: choose those rows by float query x sign bits, rather than by Hamming distance.
            rescore: score with int8; without it, scores are estimates from the bits.
            scan: the first stage, one of `scans`: `hamming`, `float-bits` or `lists`.
            probes: how many lists the `lists` scan visits; by default as many as the query needs, up to the index's
                own number.

        Raises:
            QueryError: if the query is blank, a setting is below 1, or the index has no such scan.
            BundleCorruptError: if the background check found an altered file.
        """
        clock = StageClock()
        settings = self._settings(top_k, knobs)
        text, notes = self._usable(query)
        was_kept = self.query_vectors is not None and text in self.query_vectors
        with clock.stage("encode"):
            vector = self._vector_of(text)
        response = self._search(query, vector, settings, clock, notes)
        return dataclasses.replace(response, vector_was_kept=True) if was_kept else response

    @memory_errors("to search")
    def search_many(
        self, queries: Sequence[str], top_k: int | None = None, **knobs: Unpack[SearchKnobs]
    ) -> list[SearchResponse]:
        """Returns one response per query, encoded and compared as a batch; see `search`.

        Each latency has an equal share of the time that the batch took to encode, binarize and compare.

        Raises:
            QueryError: if a query is blank, `queries` is one text rather than several, or a setting is below 1.
            BundleCorruptError: if the background check found an altered file.
        """
        queries = several(queries)
        if not queries:
            return []
        clock = StageClock()
        settings = self._settings(top_k, knobs)
        usable = [self._usable(query) for query in queries]
        with clock.stage("encode"):
            vectors = self._required_encoder().encode_query([text for text, _ in usable])
        with clock.stage("binarize"):
            batch = Queries.of(vectors, self._signs)
        with clock.stage(self._ranker.stage(settings)):
            found = self._ranker.candidates(batch, settings)
        share = clock.latency()
        responses = []
        for row, (query, (_, notes)) in enumerate(zip(queries, usable, strict=True)):
            own = StageClock()
            response = self._ranker.answer(query, batch[row], found[row], settings, own, notes)
            responses.append(dataclasses.replace(response, latency=_shared(share, len(queries), response.latency)))
        self.store.raise_if_failed()
        return responses

    def encode_query(self, query: str) -> tuple[Float32s, tuple[str, ...]]:
        """Returns the vector `(dim,)` that `search` compares for a query, and what the reader should know about it.

        Raises:
            QueryError: if the query is blank, or this index has no model.
            BundleCorruptError: if the background check found an altered file.
        """
        text, notes = self._usable(query)
        return self._vector_of(text), notes

    def memory(self) -> MemoryReport:
        """Returns what this searcher holds, as the operating system counts it."""
        return memory_report(
            self.manifest,
            self.store.memory(),
            encoder_bytes=self._encoder_bytes,
            query_vectors_bytes=0 if self.query_vectors is None else self.query_vectors.nbytes,
        )

    def _choose_cores(self) -> None:
        """Measures with complete queries whether one is answered faster when all cores encode it."""
        if isinstance(self.encoder, ChoosesCores):
            self.encoder.choose_cores(lambda vectors: self._search("", vectors[0], self.defaults, StageClock(), ()))

    def _usable(self, query: str) -> tuple[str, tuple[str, ...]]:
        self.store.raise_if_failed()
        text = usable_text(query)
        return text, query_notes(self._required_encoder(), text)

    def _vector_of(self, text: str) -> Float32s:
        encoder = self._required_encoder()

        def encode(text: str) -> Float32s:
            vector: Float32s = encoder.encode_query([text])[0]
            return vector

        return encode(text) if self.query_vectors is None else self.query_vectors.of(text, encode)

    def _required_encoder(self) -> Encoder:
        if self.encoder is None:
            raise QueryError(
                "this index was built from given vectors and has no model for texts: search it with a vector "
                "(search_vector, or scripts/search.py --vector), or build it again with the model that made them."
            )
        return self.encoder


def _fits(encoder: Encoder, manifest: Manifest) -> bool:
    same_model = encoder.weights_sha256 == manifest.weights_sha256 or not manifest.has_model
    return same_model and encoder.dim == manifest.dim


def _shared(batch: Latency, num_queries: int, own: Latency) -> Latency:
    stages = {name: batch.stages[name] / num_queries + own.stages[name] for name in own.stages}
    return Latency(stages, batch.total_ms / num_queries + own.total_ms)
