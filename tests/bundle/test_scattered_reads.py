"""Rows that are far apart in a file: the same bytes in one call of the system, one by one, and from many threads."""

from __future__ import annotations

import os
import platform
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from retrieval.bundle import scattered_reads
from retrieval.bundle.scattered_reads import read_rows
from tests.support import run_python

ROW_BYTES = 48
NUM_ROWS = 5_000
takes_lists = pytest.mark.skipif(
    sys.platform != "linux" or platform.machine() not in ("x86_64", "aarch64"), reason="the system takes no lists"
)


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
@pytest.mark.parametrize("in_lists", [pytest.param(True, marks=takes_lists), False])
def test_each_row_comes_from_its_place(
    file: int, content: npt.NDArray[np.uint8], count: int, in_lists: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> bool:
        return False

    def forbidden(*_: object) -> bool:
        raise AssertionError("read in the other way")

    monkeypatch.setattr(scattered_reads, "_is_refused", threading.Event())
    if in_lists:
        monkeypatch.setattr(scattered_reads, "_read_one_by_one", forbidden)
    else:
        monkeypatch.setattr(scattered_reads, "_read_as_lists", refused)
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


def test_a_processor_whose_numbers_are_not_known_reads_one_by_one(
    file: int, content: npt.NDArray[np.uint8], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scattered_reads, "_idle", [])
    monkeypatch.setattr(scattered_reads, "_is_refused", threading.Event())
    monkeypatch.setattr(scattered_reads, "_NUMBERS", {})
    assert np.array_equal(read(file, np.arange(300)), content[:300])  # type: ignore[arg-type]
    assert scattered_reads._idle == []


@takes_lists
@pytest.mark.parametrize("forbidden", [0, 2, 3], ids=["io_setup", "io_getevents", "io_submit"])
def test_a_system_that_forbids_a_call_reads_one_by_one(
    file: int, content: npt.NDArray[np.uint8], forbidden: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scattered_reads, "_idle", [])
    monkeypatch.setattr(scattered_reads, "_is_refused", threading.Event())
    numbers = list(scattered_reads._NUMBERS[platform.machine()])
    numbers[forbidden] = 100_000
    monkeypatch.setattr(scattered_reads, "_NUMBERS", {platform.machine(): tuple(numbers)})
    for _ in range(2):
        assert np.array_equal(read(file, np.arange(300)), content[:300])  # type: ignore[arg-type]
    assert scattered_reads._is_refused.is_set()
    assert scattered_reads._idle == []


@takes_lists
def test_a_forked_process_reads_too(file: int, content: npt.NDArray[np.uint8]) -> None:
    assert read(file, np.arange(10)) is not None  # the parent has room for lists, which the child has not
    child = os.fork()
    if child == 0:
        found = read(file, np.arange(300))
        os._exit(0 if found is not None and np.array_equal(found, content[:300]) else 1)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


_READS_UNDER_SIGNALS = """
import faulthandler, os, signal, sys
import numpy as np
from retrieval.bundle import scattered_reads

faulthandler.enable()
num_rows, row_bytes = int(sys.argv[2]), int(sys.argv[3])
content = np.fromfile(sys.argv[1], np.uint8).reshape(num_rows, row_bytes)
file = os.open(sys.argv[1], os.O_RDONLY)
signal.signal(signal.SIGALRM, lambda *_: None)
signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
for seed in range(300):
    rows = np.random.default_rng(seed).integers(0, num_rows, 256)
    into = np.empty((256, row_bytes), np.uint8)
    assert scattered_reads._read_as_lists(file, row_bytes * rows, into)
    assert np.array_equal(into, content[rows])
signal.setitimer(signal.ITIMER_REAL, 0)
"""


@takes_lists
def test_signals_do_not_disturb_reads(tmp_path: Path, content: npt.NDArray[np.uint8]) -> None:
    path = tmp_path / "rows"
    path.write_bytes(content.tobytes())
    run = run_python(_READS_UNDER_SIGNALS, str(path), str(NUM_ROWS), str(ROW_BYTES))
    assert run.returncode == 0, run.stderr
