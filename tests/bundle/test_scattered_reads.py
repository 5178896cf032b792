"""Rows that are far apart in a file: the same bytes by compiled code and by Python, from many threads too."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from retrieval.bundle import scattered_reads
from retrieval.bundle.scattered_reads import read_rows
from tests.support import COMPILED_OR_NOT, run_python

ROW_BYTES = 48
NUM_ROWS = 5_000


@pytest.fixture(autouse=True, params=COMPILED_OR_NOT)
def read_by(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Returns what reads."""
    if request.param == "python":
        monkeypatch.setattr(scattered_reads, "library", lambda: None)
    else:

        def forbidden(*_: object) -> bool:
            raise AssertionError("read by Python")

        monkeypatch.setattr(scattered_reads, "_read_one_by_one", forbidden)
    return str(request.param)


@pytest.fixture
def content() -> npt.NDArray[np.uint8]:
    return np.random.default_rng(0).integers(0, 256, (NUM_ROWS, ROW_BYTES), dtype=np.uint8)


@pytest.fixture
def file(tmp_path: Path, content: npt.NDArray[np.uint8]) -> Iterator[int]:
    path = tmp_path / "rows"
    path.write_bytes(content.tobytes())
    opened = os.open(path, os.O_RDONLY)
    yield opened
    os.close(opened)


def read(file: int, rows: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8] | None:
    into = np.empty((len(rows), ROW_BYTES), np.uint8)
    return into if read_rows(file, ROW_BYTES * rows, into) else None


@pytest.mark.parametrize("count", [0, 1, 2, 150, 256, 257, 3_000])
def test_each_row_comes_from_its_place(file: int, content: npt.NDArray[np.uint8], count: int) -> None:
    rows = np.random.default_rng(count).integers(0, NUM_ROWS, count)
    assert np.array_equal(read(file, rows), content[rows])  # type: ignore[arg-type]


def test_a_file_that_is_too_short_is_told(tmp_path: Path, file: int, content: npt.NDArray[np.uint8]) -> None:
    rows = np.array([3, NUM_ROWS - 1, 5])
    assert np.array_equal(read(file, rows), content[rows])  # type: ignore[arg-type]
    os.truncate(tmp_path / "rows", NUM_ROWS * ROW_BYTES - 1)
    assert read(file, rows) is None
    assert np.array_equal(read(file, rows[::2]), content[rows[::2]])  # type: ignore[arg-type]


def test_a_file_that_cannot_be_read_is_an_error() -> None:
    with pytest.raises(OSError, match="Bad file descriptor"):
        read(2**30, np.arange(3))


def test_many_threads_read_at_once(file: int, content: npt.NDArray[np.uint8]) -> None:
    def right(seed: int) -> bool:
        rows = np.random.default_rng(seed).integers(0, NUM_ROWS, 200)
        return np.array_equal(read(file, rows), content[rows])  # type: ignore[arg-type]

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(right, range(400)))


_READS_UNDER_SIGNALS = """
import faulthandler, os, signal, sys
import numpy as np
from retrieval.bundle import scattered_reads

faulthandler.enable()
num_rows, row_bytes = int(sys.argv[2]), int(sys.argv[3])
if sys.argv[4] == "python":
    scattered_reads.library = lambda: None
content = np.fromfile(sys.argv[1], np.uint8).reshape(num_rows, row_bytes)
file = os.open(sys.argv[1], os.O_RDONLY)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for seed in range(300):
    rows = np.random.default_rng(seed).integers(0, num_rows, 256)
    into = np.empty((256, row_bytes), np.uint8)
    assert scattered_reads.read_rows(file, row_bytes * rows, into)
    assert np.array_equal(into, content[rows])
signal.setitimer(signal.ITIMER_REAL, 0)
"""


def test_signals_do_not_disturb_reads(tmp_path: Path, content: npt.NDArray[np.uint8], read_by: str) -> None:
    path = tmp_path / "rows"
    path.write_bytes(content.tobytes())
    run = run_python(_READS_UNDER_SIGNALS, str(path), str(NUM_ROWS), str(ROW_BYTES), read_by)
    assert run.returncode == 0, run.stderr
