"""The program that works on a visitor's data, in its own process: `python -m retrieval.serving.visitor.child`."""

from __future__ import annotations

import resource
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from retrieval.corpus.files import PlainFileCorpus
from retrieval.corpus.readers.base import ReadOptions
from retrieval.corpus.vector_columns import vector_columns
from retrieval.encoding.encoder import Encoder, load_encoder
from retrieval.errors import CorpusError
from retrieval.indexing.any_vectors import VECTOR_SUFFIXES
from retrieval.indexing.indexer import build_index
from retrieval.indexing.progress import BuildProgress
from retrieval.quantization import Float32s
from retrieval.serving.child_process import Reports, Request, run_child
from retrieval.serving.visitor.corpus import BoundedCorpus
from retrieval.serving.visitor.frontier import look_at_vectors, measure

_TEXTS_PER_STEP = 512
"""Texts encoded between two reports."""
_SHOWN_ROWS = 5
_SHOWN_COLUMNS = 8
_MAX_NAME_CHARS = 200
_SHOWN_CHARS = 300
_MAX_MEMORY_BYTES = 4_000_000_000


def work(request: Request, reports: Reports) -> dict[str, Any]:
    """Returns what `inspect`, `build` or `measure` does, within limits on memory and on the size of files.

    Raises:
        RetrievalError: if the visitor's data cannot be read, or no index be built from it.
    """
    _limit_resources(int(request["max_file_bytes"]))
    return _TASKS[request["task"]](request, reports)


def inspect(request: Request, reports: Reports) -> dict[str, Any]:
    """Returns what a table holds: its columns, which of them are guessed to be what, and the first rows as text.

    `vectors` says what a file of vectors holds, or which columns of a table have vectors; None if there are none.

    Raises:
        CorpusError, VectorsError: if it cannot be read.
    """
    reports.progress("looking")
    if Path(request["source"]).suffix.lower() in VECTOR_SUFFIXES:
        found = look_at_vectors(Path(request["source"]))
        nothing = {"columns": [], "guesses": {}, "notes": [], "problem": "", "rows": []}
        return {**nothing, "num_rows": found["count"], "vectors": found}
    corpus = _corpus(request, {})
    first = corpus.sample
    if longest := next((name for name in first.schema.names if len(name) > _MAX_NAME_CHARS), None):
        raise CorpusError(
            f"the first line has a column name of {len(longest):,} characters: expected a line with short names. "
            f"Add one on top, or name the file .txt if it holds one text per line."
        )
    guesses: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    problem = ""
    try:
        guesses, notes = corpus.columns, corpus.notes
    except CorpusError as error:
        problem = str(error)
    chosen = [name for name in first.schema.names if name in guesses.values()]
    names = [*chosen, *(name for name in first.schema.names if name not in chosen)]
    rows = first.slice(0, _SHOWN_ROWS).select(names[:_SHOWN_COLUMNS]).to_pylist()
    return {
        "columns": names,
        "guesses": dict(guesses),
        "notes": list(notes),
        "problem": problem,
        "num_rows": corpus.num_rows,
        "rows": [{name: _shown(value) for name, value in row.items()} for row in rows],
        "vectors": _columns_of_vectors(first),
    }


def _columns_of_vectors(sample: pa.RecordBatch) -> dict[str, Any] | None:
    names = vector_columns(sample)
    return {"count": None, "dim": None, "kind": "", "columns": names} if names else None


def build(request: Request, reports: Reports) -> dict[str, Any]:
    """Builds the index, and returns what was read on the way.

    Raises:
        RetrievalError: if it cannot be built.
    """
    reports.progress("model")
    model = request["model"]
    encoder = load_encoder(model["id"], expected_sha256=model["weights_sha256"]) if model else load_encoder()
    corpus = BoundedCorpus(
        _corpus(request, request["columns"]),
        request["title"],
        max_rows=request["max_rows"],
        max_text_chars=request["max_text_chars"],
    )
    stepping = _SteppingEncoder(encoder, reports)

    def report(progress: BuildProgress) -> None:
        if progress.phase == "encoding":
            stepping.expect(progress.done, progress.total)
        if progress.phase != "note":
            reports.progress(progress.phase, progress.done, progress.total)

    build_index(corpus, stepping, Path(request["output"]), report=report)
    seen = corpus.seen
    return {
        "rows_in_file": seen.rows_in_file,
        "counted_all": seen.counted_all,
        "rows_used": seen.rows_used,
        "cut_texts": seen.cut_texts,
        "non_ascii_texts": seen.non_ascii_texts,
        "sampled_texts": len(seen.sample),
        "long_texts": sum(encoder.num_tokens_cut(text) > 0 for text in seen.sample),
    }


def _corpus(request: Mapping[str, Any], columns: Mapping[str, str]) -> PlainFileCorpus:
    return PlainFileCorpus(
        request["source"],
        **{f"{role}_column": name for role, name in columns.items()},
        options=ReadOptions(max_unpacked_bytes=request["max_file_bytes"]),
    )


class _SteppingEncoder:
    """Encodes in small steps, and reports each."""

    def __init__(self, encoder: Encoder, reports: Reports) -> None:
        self._encoder = encoder
        self._reports = reports
        self._done = 0
        self._total: int | None = None
        self.model_id = encoder.model_id
        self.weights_sha256 = encoder.weights_sha256
        self.dim = encoder.dim
        self.backend = encoder.backend
        self.note = encoder.note

    def expect(self, done: int, total: int | None) -> None:
        """Records how far the encoding is."""
        self._done, self._total = done, total

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)`, each row of length 1."""
        if len(texts) <= _TEXTS_PER_STEP:
            return self._encoder.encode(texts)
        parts = []
        for start in range(0, len(texts), _TEXTS_PER_STEP):
            parts.append(self._encoder.encode(texts[start : start + _TEXTS_PER_STEP]))
            done = self._done + min(start + _TEXTS_PER_STEP, len(texts))
            self._reports.progress("encoding", done, self._total)
        return np.concatenate(parts)

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)`, each row of length 1, of texts that are queries."""
        return self._encoder.encode_query(texts)

    def num_tokens_cut(self, text: str) -> int:
        """Returns how many tokens of `text` are beyond the model's length and are not seen."""
        return self._encoder.num_tokens_cut(text)


def _shown(value: Any) -> str:
    text = "" if value is None else str(value)
    return text if len(text) <= _SHOWN_CHARS else f"{text[:_SHOWN_CHARS]}…"


def _limit_resources(max_file_bytes: int) -> None:
    """A file that unpacks without end hits a limit here instead of filling the memory or disk."""
    for kind, limit in (
        (resource.RLIMIT_DATA, _MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, max_file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (value, value))


_TASKS = {"inspect": inspect, "build": build, "measure": measure}

if __name__ == "__main__":
    # What an error says may quote the visitor's data.
    sys.exit(run_child(work, logs_messages=False))
