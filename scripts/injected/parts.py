"""What the injected faults share: a small index that needs no model, questions about it, and a count of outcomes."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import time
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa

from retrieval import BuildOptions, Searcher, build_index
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import MANIFEST_FILE
from retrieval.corpus.base import CorpusInfo, with_common_columns
from retrieval.quantization import Float32s

PROJECT_FOLDER = Path(__file__).resolve().parents[2]
DIM = 64
TIME_LIMIT_S = 900.0
_VOCABULARY = "sort list file table read write open close join image plot thread queue socket server query"
QUESTIONS = ("sort a list", "read a table", "thread queue", "open socket server", "plot image 17")
WRONG = ("wrong answer", "process died", "another error", "other files", "files left behind", "no answer in time")
"""Outcomes that must not be."""


@dataclass
class Fault:
    """What came of one kind of fault."""

    name: str
    outcomes: Counter[str] = field(default_factory=Counter)

    @property
    def is_survived(self) -> bool:
        """Returns whether nothing was lost, and nothing answered wrongly."""
        return bool(self.outcomes) and not any(self.outcomes[wrong] for wrong in WRONG)

    def __str__(self) -> str:
        told = ", ".join(f"{count:,} {outcome}" for outcome, count in self.outcomes.most_common())
        return f"| {self.name} | {self.outcomes.total():,} | {told} |"


class WordEncoder:
    """Adds up a fixed random vector for each word: the same text gives the same vector, in every process."""

    model_id = "words"
    weights_sha256 = "0" * 64
    dim = DIM
    backend = "numpy"
    note: str | None = None

    def __init__(self, on_encode: Callable[[], object] = lambda: None) -> None:
        """Takes what is called before each batch."""
        self._on_encode = on_encode

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), 64)`, each row of length 1."""
        self._on_encode()
        made = np.stack([sum((_vector(word) for word in text.split()), np.zeros(DIM)) for text in texts])
        unit: Float32s = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
        return unit

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), 64)`, each row of length 1."""
        return self.encode(texts)

    def num_tokens_cut(self, text: str) -> int:
        """Returns 0: all words are read."""
        return 0

    def tokens(self, text: str) -> list[str]:
        """Returns the words."""
        return text.split()


def _vector(word: str) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.random.default_rng(zlib.crc32(word.encode())).standard_normal(DIM)


class WordCorpus:
    """Made-up texts, the same for the same numbers; each tenth has the text of the one before."""

    def __init__(self, num_rows: int, seed: int = 0) -> None:
        self.info = CorpusInfo("words", "Made-up texts")
        self.num_rows: int | None = num_rows
        self.columns: Mapping[str, str] = {}
        self.notes: tuple[str, ...] = ()
        self._seed = seed

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Yields the rows."""
        rng = np.random.default_rng(self._seed)
        texts = [f"{' '.join(rng.choice(_VOCABULARY.split(), 4))} {number}" for number in range(self.num_rows or 0)]
        texts = [texts[place - 1] if place % 10 == 9 else text for place, text in enumerate(texts)]
        for start in range(0, len(texts), 100):
            rows = [{"text": text, "body": text[::-1]} for text in texts[start : start + 100]]
            batch = pa.RecordBatch.from_pylist(rows)
            yield with_common_columns(batch, text="text", body="body")


def build_small(folder: Path, num_rows: int = 300, seed: int = 0, encoder: WordEncoder | None = None) -> Bundle:
    """Returns a small index, built in `folder`; with a note of progress every 50 texts."""
    options = BuildOptions(checkpoint_texts=50)
    return build_index(WordCorpus(num_rows, seed), encoder or WordEncoder(), folder, options)


def answers_of(searcher: Searcher) -> str:
    """Returns all that the questions find, as one line."""
    found = [[(hit.row, hit.score, hit.document.text) for hit in searcher.search(text).hits] for text in QUESTIONS]
    return hashlib.sha256(repr(found).encode()).hexdigest()


def content_of(folder: Path) -> dict[str, str]:
    """Returns the hash of every file but the manifest, which has the time in it."""
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != MANIFEST_FILE]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@contextmanager
def started_child(module: str, *arguments: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a module of this package in a process of its own, and yields it when it says that it is ready."""
    with subprocess.Popen(
        child_command(module, *arguments), env={**child_environment(), **environment},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0,
    ) as child:  # fmt: skip
        if child.stdout is not None:
            child.stdout.readline()
        yield child


def seconds_of(started: AbstractContextManager[subprocess.Popen[bytes]]) -> float:
    """Returns how long a child that is not disturbed takes, once it is ready."""
    with started as child:
        began = time.monotonic()
        child.communicate(timeout=TIME_LIMIT_S)
        return time.monotonic() - began


def ran(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Runs a module of this package in a process of its own, to its end."""
    return subprocess.run(
        child_command(module, *arguments), env=child_environment(), capture_output=True, text=True,
        timeout=TIME_LIMIT_S, check=False,
    )  # fmt: skip


def not_refused(status: int, errors: str) -> str | None:
    """Returns what is wrong with a child that should have refused with a message; None where it has done so."""
    if status == 1 and "Traceback" not in errors:
        return None
    print(errors, file=sys.stderr)
    return "process died" if status < 0 else "another error"


def child_command(module: str, *arguments: str) -> list[str]:
    """Returns the command of a module of this package in its own process."""
    return [sys.executable, "-m", f"scripts.injected.{module}", *arguments]


def child_environment() -> dict[str, str]:
    """Returns the environment for it: the project is found from any folder."""
    return {**os.environ, "PYTHONPATH": str(PROJECT_FOLDER), "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
