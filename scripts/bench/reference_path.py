"""The path that the 2024 demos took, timed in its own process in turn with ours.

PyTorch `encode`, sign bits, Hamming, raw int8 codes as if they were vectors, documents. What each step calls is what
the demos called (sentence-transformers, faiss and usearch with their defaults); see
https://huggingface.co/spaces/sentence-transformers/quantized-retrieval.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from usearch.index import Index

from retrieval.benchmark.timings import stage_percentiles
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE, Manifest
from retrieval.encoding.model_files import locate_model
from retrieval.encoding.torch_encoder import TorchEncoder
from retrieval.quantization import Float32s
from retrieval.search.measurement import process_rss_bytes

STAGES = ("encode", "binarize", "hamming", "rescore", "documents")


@dataclass(frozen=True, slots=True)
class Timed:
    """One query of a whole path, ours or the reference."""

    stages_ms: dict[str, float]
    """`total` included."""
    cpu_ms: float
    """CPU time of the process meanwhile."""


def path_figures(answers: Sequence[Timed]) -> dict[str, Any]:
    """Returns the percentiles of each stage and of what is not `encode`, the mean CPU time, and how many there were."""
    return {
        "stages": stage_percentiles(
            {**answer.stages_ms, "without_encode": answer.stages_ms["total"] - answer.stages_ms["encode"]}
            for answer in answers
        ),
        "cpu_ms": float(np.mean([answer.cpu_ms for answer in answers])),
        "samples": len(answers),
    }


class ReferenceRanking:
    """The demos' search by vector over a bundle of ours."""

    def __init__(self, index: Path) -> None:
        self._binary: Any = faiss.read_index_binary(str(index / BINARY_FILE))
        self.signs = Manifest.read(index).signs
        self._int8: Any = Index.restore(str(index / INT8_FILE), view=True)

    def rank(self, vector: Float32s, top_k: int, num_candidates: int) -> list[int]:
        """Returns the `top_k` best rows of `num_candidates` for an embedding `(dim,)`."""
        return self.rescore(vector, self.candidates(self.signs.encode(vector[None]), num_candidates), top_k)

    def candidates(self, code: Any, num_candidates: int) -> Any:
        """Returns the rows nearest by Hamming distance to sign bits `(1, bytes)`."""
        _, ids = self._binary.search(code, num_candidates)
        return ids[0]

    def rescore(self, vector: Float32s, ids: Any, top_k: int) -> list[int]:
        """Returns the rows with the highest dot products of the query and the raw codes."""
        ids = ids[ids >= 0]  # faiss pads with -1 when there are fewer
        codes = np.asarray(self._int8[ids]).astype(int)
        scores = vector @ codes.T
        return [int(row) for row in ids[np.argsort(-scores)[:top_k]]]


class ReferencePath:
    """The whole search of the demos: text to documents."""

    def __init__(self, index: Path, model_id: str) -> None:
        self._encoder = TorchEncoder(locate_model(model_id))
        self._ranking = ReferenceRanking(index)
        self._documents = DocumentStore.open(index / DOCUMENTS_FILE)

    def search(self, query: str, top_k: int, num_candidates: int) -> Timed:
        """Returns the times of finding the `top_k` best of `num_candidates` by raw int8 codes."""
        cpu = time.process_time()
        marks = [time.perf_counter()]
        vector = self._encoder.encode_query([query])[0]
        marks.append(time.perf_counter())
        code = self._ranking.signs.encode(vector[None])
        marks.append(time.perf_counter())
        ids = self._ranking.candidates(code, num_candidates)
        marks.append(time.perf_counter())
        rows = self._ranking.rescore(vector, ids, top_k)
        marks.append(time.perf_counter())
        self._documents.fetch(rows)
        marks.append(time.perf_counter())
        stages = {name: (marks[i + 1] - marks[i]) * 1e3 for i, name in enumerate(STAGES)}
        total_ms = (marks[-1] - marks[0]) * 1e3
        return Timed({**stages, "total": total_ms}, (time.process_time() - cpu) * 1e3)


def serve(pipe: Connection, index: Path, model_id: str) -> None:
    """Answers `(queries, top_k, num_candidates)` with a list of `Timed`, until None comes; then with its RSS."""
    path = ReferencePath(index, model_id)
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        queries, top_k, num_candidates = asked
        pipe.send([path.search(query, top_k, num_candidates) for query in queries])
    pipe.send(process_rss_bytes())
