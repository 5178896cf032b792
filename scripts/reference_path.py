"""The path that the published demos take, to be timed beside ours: a process of its own, asked over a pipe.

PyTorch `encode`, sign bits, Hamming for `top_k` only, raw int8 codes as if they were vectors, documents. What each
step calls is what the demos call (sentence-transformers, faiss and usearch with their defaults); see
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

from retrieval.bundle import BINARY_FILE, DOCUMENTS_FILE, INT8_FILE
from retrieval.documents import DocumentStore
from retrieval.measurement import process_rss_bytes
from retrieval.model_files import locate_model
from retrieval.quantization import Float32s, binarize
from retrieval.torch_encoder import TorchEncoder


@dataclass(frozen=True, slots=True)
class Timed:
    """One query's rows, best first, and its milliseconds by stage, `total` included."""

    rows: list[int]
    stages_ms: dict[str, float]


class ReferencePath:
    """The published demos' search over a bundle of ours."""

    def __init__(self, index: Path, model_id: str, dim: int) -> None:
        self._encoder = TorchEncoder(locate_model(model_id))
        self._binary: Any = faiss.read_index_binary(str(index / BINARY_FILE))
        self._int8: Any = Index.restore(str(index / INT8_FILE), view=True)
        self._documents = DocumentStore.open(index / DOCUMENTS_FILE)

    def search(self, query: str, top_k: int, num_candidates: int) -> Timed:
        """Returns the `top_k` best of `num_candidates` (the seed's demo: the same number; the published one: 4x)."""
        marks = [time.perf_counter()]
        vector = self._encoder.encode([query])[0]
        marks.append(time.perf_counter())
        code = binarize(vector[None])
        marks.append(time.perf_counter())
        _, ids = self._binary.search(code, num_candidates)
        marks.append(time.perf_counter())
        rows = self._rescore(vector, ids[0], top_k)
        marks.append(time.perf_counter())
        self._documents.fetch(rows)
        marks.append(time.perf_counter())
        names = ("encode", "binarize", "hamming", "rescore", "documents")
        stages = {name: (marks[i + 1] - marks[i]) * 1e3 for i, name in enumerate(names)}
        return Timed(rows, {**stages, "total": (marks[-1] - marks[0]) * 1e3})

    def rank(self, vector: Float32s, top_k: int, num_candidates: int) -> list[int]:
        """Returns the rows for an embedding, untimed: the recall of this path is measured on the same vectors."""
        _, ids = self._binary.search(binarize(vector[None]), num_candidates)
        return self._rescore(vector, ids[0], top_k)

    def _rescore(self, vector: Float32s, ids: Any, top_k: int) -> list[int]:
        codes = np.asarray(self._int8[ids[ids >= 0]]).astype(int)
        scores = vector @ codes.T
        return [int(row) for row in ids[np.argsort(-scores)[:top_k]]]


def serve(pipe: Connection, index: Path, model_id: str, dim: int) -> None:
    """Answers `(queries, top_k)` on the pipe with a list of `Timed`, until None comes; then with its RSS in bytes."""
    path = ReferencePath(index, model_id, dim)
    pipe.send("ready")
    while (asked := pipe.recv()) is not None:
        queries, top_k = asked
        pipe.send([path.search(query, top_k, top_k) for query in queries])
    pipe.send(process_rss_bytes())


def stage_names() -> Sequence[str]:
    """Returns the stages this path has, in order, with the total."""
    return ("encode", "binarize", "hamming", "rescore", "documents", "total")
