"""Other systems: macOS, played by a Linux without what is Linux's own, and Windows, by a Python without fcntl."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from retrieval import system
from retrieval.system import UnderWay, is_worth_it, read_into, usable_cores, wait_until_idle
from tests.support import PATIENCE_S, run_python

AS_ON_MACOS = """
import os
for name in ("sched_getaffinity", "sched_setaffinity", "preadv", "posix_fadvise", "posix_fallocate", "memfd_create",
             "copy_file_range", "eventfd", "pidfd_open"):
    if hasattr(os, name):
        delattr(os, name)
import ctypes
ctypes.CDLL = lambda *args, _real=ctypes.CDLL, **options: (
    type("Library", (), {})() if args[:1] == (None,) else _real(*args, **options))
import psutil
psutil.PROCFS_PATH = "/nowhere"
del psutil.Process.memory_maps
import pathlib
_read_text = pathlib.Path.read_text
def read_text(self, *args, **options):
    if str(self).startswith("/proc"):
        raise FileNotFoundError(self)
    return _read_text(self, *args, **options)
pathlib.Path.read_text = read_text
"""
JOURNEY = """
import sys
import time
from pathlib import Path
import numpy as np
from retrieval import BuildOptions, Searcher, build_index
from retrieval.benchmark.machine import about_machine
from retrieval.benchmark.quick import measure_quickly
from retrieval.ui.search.memory_panel import memory_panel
from tests.conftest import FakeEncoder, RowsCorpus, random_texts

folder, encoder = Path(sys.argv[1]), FakeEncoder()
corpus = RowsCorpus([{"text": text} for text in random_texts(300)])
for _ in range(2):
    build_index(corpus, encoder, folder / "index", BuildOptions(overwrite=True))
searcher = Searcher.open(folder / "index", encoder=encoder, verify="now")
print("row", searcher.search(random_texts(300)[7]).hits[0].row)
print("cores", about_machine()["cores"])
print("measured", sorted(measure_quickly(searcher, random_texts(5), budget_s=1.0)["scans"]))
items = {item.name for item in searcher.memory().items}
print("items", "codes" in items, "int8_resident" in items)
print("panel", memory_panel(searcher.memory()).count("not available on this system"))
"""


def test_macos_builds_searches_measures_and_says_what_it_cannot_know(tmp_path: Path) -> None:
    run = run_python(AS_ON_MACOS + JOURNEY, str(tmp_path))
    assert run.returncode == 0, run.stderr
    told = dict(line.split(" ", 1) for line in run.stdout.splitlines())
    assert told["row"] == "7"
    assert told["cores"] == str(os.cpu_count())
    assert told["measured"] == "['binary', 'float32', 'int8']"
    assert told["items"] == "True False"
    assert int(told["panel"]) >= 2


@pytest.mark.model
def test_macos_encodes_with_openvino() -> None:
    code = (
        AS_ON_MACOS + "from retrieval import load_encoder\ne = load_encoder()\nprint(e.backend, e.encode(['a']).shape)"
    )
    run = run_python(code)
    assert run.returncode == 0, run.stderr
    assert "OpenVINO" in run.stdout


@pytest.mark.parametrize(
    "command",
    ["import retrieval", "import scripts.build_index", "import scripts.search", "import app", "import retrieval.hub"],
)
def test_windows_is_told_to_use_wsl_in_one_line(command: str) -> None:
    run = run_python(f"import sys\nsys.modules['fcntl'] = None\n{command}")
    assert run.returncode == 1
    assert "WSL" in run.stderr
    assert run.stderr.count("\n") == 1
    assert run.stdout == ""


def test_a_file_is_read_from_a_place_on_whatever_the_system_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    values = np.arange(1000, dtype=np.float32)
    values.tofile(tmp_path / "values")
    file = os.open(tmp_path / "values", os.O_RDONLY)
    try:
        for _ in ("preadv", "pread"):
            into = np.empty((5, 20), np.float32)
            assert read_into(file, into, 4 * 300)
            assert np.array_equal(into.ravel(), values[300:400])
            assert not read_into(file, into, 4 * 950)
            monkeypatch.delattr(os, "preadv", raising=False)
    finally:
        os.close(file)


def test_cores_are_those_of_the_process_or_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert 1 <= usable_cores() <= (os.cpu_count() or 1)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert usable_cores() == os.cpu_count()
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert usable_cores() == 1


def test_only_the_first_of_several_calls_is_alone_until_they_have_been_over_for_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    under_way = UnderWay()
    with under_way as first, under_way as second:
        assert (first, second) == (True, False)
    monkeypatch.setattr(system, "_MOMENT_S", PATIENCE_S)
    with under_way as third:
        assert not third
    monkeypatch.setattr(system, "_MOMENT_S", 0.001)
    time.sleep(0.002)
    with under_way as fourth:
        assert fourth


def test_calls_that_met_for_long_are_not_alone_right_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    under_way = UnderWay()
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    with under_way, under_way:
        now[0] += 60
    with under_way as after:
        assert not after
    now[0] += 60
    with under_way as later:
        assert later


def test_several_cores_are_worth_it_when_they_save_time() -> None:
    done = []
    assert is_worth_it(lambda: done.append("several"), lambda: time.sleep(0.05))
    assert not is_worth_it(lambda: time.sleep(0.05), lambda: done.append("one"))
    assert set(done) == {"several", "one"}


def test_waiting_for_idle_threads_ends_once_they_are() -> None:
    is_over = threading.Event()

    def compute() -> None:
        while not is_over.is_set():
            sum(range(1000))

    busy = threading.Thread(target=compute)
    busy.start()
    start = time.monotonic()
    wait_until_idle(0.5)
    waited_s = time.monotonic() - start
    is_over.set()
    busy.join()
    wait_until_idle(60)
    assert waited_s >= 0.5
    assert time.monotonic() - start < 60
