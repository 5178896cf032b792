"""The program that works on a visitor's data, in a process of its own: `python -m retrieval.serving.visitor.child`.

A request comes as one line of JSON on standard input, reports go out as lines of JSON on standard output. Standard
input stays open as long as somebody waits for the answer: when it ends, so does this process, and with it the work.
"""

from __future__ import annotations

import json
import resource
import sys
import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.corpus.files import PlainFileCorpus
from retrieval.corpus.readers import ReadOptions
from retrieval.encoding.encoder import Encoder, load_encoder
from retrieval.errors import CorpusError, RetrievalError
from retrieval.indexing.indexer import build_index
from retrieval.indexing.progress import BuildProgress
from retrieval.quantization import Float32s
from retrieval.serving.child_process import end_with_the_caller, own_output
from retrieval.serving.visitor.corpus import BoundedCorpus
from retrieval.serving.visitor.words import OUT_OF_MEMORY, for_visitors

_TEXTS_A_STEP = 512
"""Texts encoded between two reports."""
_SHOWN_ROWS = 5
_SHOWN_COLUMNS = 8
_MAX_NAME_CHARS = 200
_SHOWN_CHARS = 300
_MAX_MEMORY_BYTES = 4_000_000_000
_UNEXPECTED = "Something went wrong with this file on this side. It was noted in the log; other files may well work."
Send = Callable[[Mapping[str, Any]], None]


def main() -> int:
    """Does what is asked, and returns the exit status."""
    out = own_output()
    request = json.loads(sys.stdin.buffer.readline())
    end_with_the_caller()
    _limit_resources(int(request["max_file_bytes"]))
    lock = threading.Lock()

    def send(report: Mapping[str, Any]) -> None:
        with lock:
            out.write(json.dumps(report) + "\n")
            out.flush()

    try:
        work = inspect if request["task"] == "inspect" else build
        send({"kind": "finished", "result": work(request, send)})
    except RetrievalError as error:
        send({"kind": "failed", "message": for_visitors(str(error), Path(request["folder"]))})
        return 1
    except MemoryError:
        send({"kind": "failed", "message": OUT_OF_MEMORY})
        return 1
    except Exception as error:  # noqa: BLE001 - the border of the process: whatever it is, the visitor is told
        # Where it happened, and not what the message says: that may quote the visitor's data.
        sys.stderr.write("".join(traceback.format_tb(error.__traceback__)) + type(error).__name__ + "\n")
        send({"kind": "failed", "message": _UNEXPECTED})
        return 1
    return 0


def inspect(request: Mapping[str, Any], send: Send) -> dict[str, Any]:
    """Returns what a table holds: its columns, which of them are guessed to be what, and the first rows as text.

    Raises:
        CorpusError: if it cannot be read.
    """
    send({"kind": "progress", "phase": "looking"})
    corpus = _corpus(request, {})
    first = corpus.sample
    if longest := next((name for name in first.schema.names if len(name) > _MAX_NAME_CHARS), None):
        raise CorpusError(
            f"the first line has a column name of {len(longest):,} characters: expected a line with short names. "
            f"Add one on top, or name the file .txt if it holds a text a line."
        )
    guesses: Mapping[str, str] = {}
    notes: tuple[str, ...] = ()
    problem = ""
    try:
        guesses, notes = corpus.columns, corpus.notes
    except CorpusError as error:
        problem = for_visitors(str(error), Path(request["folder"]))
    chosen = [name for name in first.schema.names if name in guesses.values()]
    names = [*chosen, *(name for name in first.schema.names if name not in chosen)]
    rows = first.slice(0, _SHOWN_ROWS).select(names[:_SHOWN_COLUMNS]).to_pylist()
    return {
        "columns": names,
        "guesses": dict(guesses),
        "notes": [for_visitors(note, Path(request["folder"])) for note in notes],
        "problem": problem,
        "num_rows": corpus.num_rows,
        "rows": [{name: _shown(value) for name, value in row.items()} for row in rows],
    }


def build(request: Mapping[str, Any], send: Send) -> dict[str, Any]:
    """Builds the index, and returns what was read on the way.

    Raises:
        RetrievalError: if it cannot be built.
    """
    send({"kind": "progress", "phase": "model"})
    model = request["model"]
    encoder = load_encoder(model["id"], expected_sha256=model["weights_sha256"]) if model else load_encoder()
    corpus = BoundedCorpus(
        _corpus(request, request["columns"]),
        request["title"],
        max_rows=request["max_rows"],
        max_text_chars=request["max_text_chars"],
    )
    stepping = _SteppingEncoder(encoder, send)

    def report(progress: BuildProgress) -> None:
        if progress.phase == "encoding":
            stepping.expect(progress.done, progress.total)
        send({
            "kind": "progress", "phase": progress.phase, "done": progress.done, "total": progress.total,
            "message": progress.message,
        })  # fmt: skip

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
    """Encodes in small steps, and tells of each."""

    def __init__(self, encoder: Encoder, send: Send) -> None:
        self._encoder = encoder
        self._send = send
        self._done = 0
        self._total: int | None = None
        self.model_id = encoder.model_id
        self.weights_sha256 = encoder.weights_sha256
        self.dim = encoder.dim
        self.backend = encoder.backend
        self.note = encoder.note

    def expect(self, done: int, total: int | None) -> None:
        """Takes note of how far the encoding is."""
        self._done, self._total = done, total

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)`, each row of length 1."""
        if len(texts) <= _TEXTS_A_STEP:
            return self._encoder.encode(texts)
        parts = []
        for start in range(0, len(texts), _TEXTS_A_STEP):
            parts.append(self._encoder.encode(texts[start : start + _TEXTS_A_STEP]))
            done = self._done + min(start + _TEXTS_A_STEP, len(texts))
            self._send({"kind": "progress", "phase": "encoding", "done": done, "total": self._total})
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
    """A file that unfolds without end meets a wall here, and not the memory or the disk of everybody."""
    for kind, limit in (
        (resource.RLIMIT_DATA, _MAX_MEMORY_BYTES),
        (resource.RLIMIT_FSIZE, max_file_bytes),
        (resource.RLIMIT_CORE, 0),
    ):
        hard = resource.getrlimit(kind)[1]
        value = limit if hard == resource.RLIM_INFINITY else min(limit, hard)
        resource.setrlimit(kind, (value, value))


if __name__ == "__main__":
    sys.exit(main())
