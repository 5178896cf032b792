"""What the tests share: a deterministic encoder in place of the model, tiny corpora, and indexes built from them."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from retrieval import BuildOptions, build_index
from retrieval.benchmark.quick import measure_quickly
from retrieval.bundle.bundle import Bundle
from retrieval.corpus.base import CorpusInfo, with_common_columns
from retrieval.quantization import Float32s

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from scripts.packaged_milvus import PackagedMilvus
    from tests.page_server import RunningApp

SHARED = Path(__file__).parents[2] / "shared"


def shared_path(name: str) -> Path:
    """Returns a file of the data that is kept next to the repository, or skips the test."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"needs {name}, which is not part of the repository")
    return path


class FakeEncoder:
    """Adds up a fixed random vector a word: texts that share words are close. Same text, same embedding."""

    model_id = "fake"
    weights_sha256 = "f" * 64
    backend = "numpy"

    def __init__(self, dim: int = 64, note: str | None = None) -> None:
        self.dim = dim
        self.note = note
        self.encoded: list[str] = []

    def encode(self, texts: Sequence[str]) -> Float32s:
        self.encoded.extend(texts)
        return np.stack([self._embed(text) for text in texts]) if texts else np.empty((0, self.dim), np.float32)

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        return self.encode(texts)

    def num_tokens_cut(self, text: str) -> int:
        return max(0, len(text.split()) - 256)

    def tokens(self, text: str) -> list[str]:
        return text.split()

    def _embed(self, text: str) -> Float32s:
        vector = np.zeros(self.dim)
        for word in text.lower().split()[:256]:
            vector += _word_vector(word, self.dim)
        length = np.linalg.norm(vector)
        return (vector / (length if length else 1.0)).astype(np.float32)


@cache
def _word_vector(word: str, dim: int) -> npt.NDArray[np.float64]:
    seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
    return np.random.default_rng(seed).standard_normal(dim)


class RowsCorpus:
    """A corpus from a list of rows."""

    notes = ()

    def __init__(
        self,
        rows: Sequence[Mapping[str, Any]],
        batch_size: int = 100,
        name: str = "rows",
        columns: Mapping[str, str] | None = None,
    ) -> None:
        self.columns = columns or {}
        self.info = CorpusInfo(name, "Rows of a test", examples=("red apple",))
        self._rows = rows
        self._batch_size = batch_size

    @property
    def num_rows(self) -> int | None:
        return len(self._rows)

    def batches(self) -> Iterator[pa.RecordBatch]:
        schema = pa.schema(
            [("text", pa.string()), ("body", pa.string()), ("url", pa.string()), ("group", pa.string()),
             ("quality", pa.float64()), ("number", pa.int64())]
        )  # fmt: skip
        for start in range(0, len(self._rows), self._batch_size):
            rows = [{"number": start + i, **row} for i, row in enumerate(self._rows[start : start + self._batch_size])]
            batch = pa.RecordBatch.from_pylist(rows, schema=schema)
            yield with_common_columns(batch, text="text", body="body", url="url", group="group", quality="quality")


WORDS = (
    "red green blue apple pear plum sort list dict tuple file read write open close parse json csv table row column "
    "join merge split string number random seed matrix vector image plot thread lock queue socket server client "
    "request response token user password hash sign verify encrypt zip tar copy move delete folder path walk glob"
).split()


def random_texts(count: int, *, seed: int = 0, words: int = 5) -> list[str]:
    """Returns distinct texts of a few words each."""
    rng = np.random.default_rng(seed)
    return [f"{' '.join(rng.choice(WORDS, words))} {number}" for number in range(count)]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Has the processes of a test run begin with the files that take long: at its end, all of them are busy."""
    if not hasattr(config, "workerinput"):
        return
    long = {item.path for item in items if item.get_closest_marker("model")}
    items.sort(key=lambda item: item.path not in long)


Build = Callable[..., Bundle]
Rows = Sequence[str | Mapping[str, Any]]


@pytest.fixture
def encoder() -> FakeEncoder:
    return FakeEncoder()


def build_rows(rows: Rows, encoder: FakeEncoder, output: Path, **options: Any) -> Bundle:
    """Builds an index from rows (texts or mappings)."""
    mappings = [{"text": row} if isinstance(row, str) else row for row in rows]
    return build_index(RowsCorpus(mappings), encoder, output, BuildOptions(**options))


@pytest.fixture(scope="session")
def kept_index(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """Returns a function that builds the index of the same rows and options once, for all tests to copy."""
    kept: dict[str, Path] = {}

    def path_of(rows: Rows, **options: Any) -> Path:
        key = repr((rows, options))
        if key not in kept:
            folder = tmp_path_factory.mktemp("kept") / "index"
            kept[key] = build_rows(rows, FakeEncoder(), folder, **options).path
        return kept[key]

    return path_of


@pytest.fixture
def build(tmp_path: Path, kept_index: Callable[..., Path]) -> Build:
    """Returns a function that gives a test its own copy of the index of some rows, built with the fake encoder."""

    def make(rows: Rows, name: str = "index", *, overwrite: bool = False, **options: Any) -> Bundle:
        if overwrite:
            return build_rows(rows, FakeEncoder(), tmp_path / name, overwrite=True, **options)
        shutil.copytree(kept_index(rows, **options), tmp_path / name)
        return Bundle.open(tmp_path / name)

    return make


MadeOnce = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Returns a function that has a folder made by the first of the test processes that asks for it by its name."""
    root = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        root = root.parent  # of all processes

    def path_of(name: str, make: Callable[[Path], object]) -> Path:
        folder = root / f"once-{name}"
        with (root / f"once-{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                work = root / f"once-{name}.work"
                work.mkdir(exist_ok=True)
                make(work)
                work.rename(folder)
        return folder

    return path_of


@pytest.fixture(scope="session")
def tiny_index(made_once: MadeOnce) -> Path:
    """An index of a few rows with the real model, which no test changes."""
    from tests.page_server import build_tiny_index

    return made_once("tiny-index", lambda folder: build_tiny_index(folder / "tiny")) / "tiny"


@pytest.fixture(scope="session")
def served(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app over the tiny index, in a process of its own that many test files talk to: none may change it."""
    from tests.page_server import running_app

    with running_app(tmp_path_factory.mktemp("served"), "--index", str(tiny_index)) as running:
        yield running


@pytest.fixture(scope="session")
def mcp_app(tiny_index: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningApp]:
    """The app with `--mcp`, likewise for many."""
    from tests.page_server import running_app

    with running_app(tmp_path_factory.mktemp("served-mcp"), "--index", str(tiny_index), "--mcp") as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real headless Chromium. By module: while one runs, its thread has an event loop that others trip over."""
    from tests.browser_page import chromium

    with chromium() as launched:
        yield launched


@pytest.fixture(scope="session")
def milvus_server() -> Iterator[PackagedMilvus]:
    """A real Milvus server that asks for a token, started once for all tests of a process."""
    from scripts.packaged_milvus import packaged_milvus

    pytest.importorskip("milvus", reason="needs requirements-databases.txt")
    pytest.importorskip("pymilvus", reason="needs requirements-databases.txt")
    with packaged_milvus(asks_for_token=True) as server:
        yield server


class MeasureGate:
    """Holds every measurement until it is opened."""

    def __init__(self) -> None:
        self.opened = threading.Event()

    def measure(self, *args: Any, **options: Any) -> dict[str, Any]:
        self.opened.wait(60)
        return measure_quickly(*args, **options)


@pytest.fixture
def gate() -> Iterator[MeasureGate]:
    gate = MeasureGate()
    yield gate
    gate.opened.set()
