"""Files that are replaced, removed, overwritten or cut short while a process searches the index."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from retrieval import BuildOptions, RetrievalError, Searcher, build_index
from retrieval.bundle.manifest import FILES
from scripts.injected.parts import (
    Fault,
    WordCorpus,
    WordEncoder,
    answers_of,
    build_small,
    child_command,
    child_environment,
)

_AT_ONCE = 4
_ROWS = 5_000
"""Enough for files of several pages."""


def run(positions: int = 5) -> list[Fault]:
    """Returns what came of each change; `positions` is at how many places each file is cut, or written over."""
    changes: dict[str, list[Callable[[Path], None]]] = {
        "removed": [Path.unlink],
        "replaced": [_replace],
        "cut short": [_cutting(part / positions) for part in range(positions)],
        "written over": [_writing(part / positions) for part in range(positions)],
    }
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(_AT_ONCE) as pool:
        home = Path(name)
        whole = build_small(home / "whole", _ROWS).path
        files = [file for file in FILES if (whole / file).exists()]
        faults = []
        for change, ways in changes.items():
            fault = Fault(f"file of an index {change} under a running process")
            tried = [(file, way) for file in files for way in ways]
            folders = [shutil.copytree(whole, home / f"{change}-{place}") for place in range(len(tried))]
            made = [partial(way, folder / file) for folder, (file, way) in zip(folders, tried, strict=True)]
            fault.outcomes.update(pool.map(_outcome, folders, made))
            faults.append(fault)
        again = Fault("index built again under a running process")
        again.outcomes[_outcome(whole, partial(_rebuild, whole))] += 1
    return [*faults, again]


def _replace(path: Path) -> None:
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(b"something else" * 100)
    fresh.replace(path)


def _cutting(share: float) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, int(share * path.stat().st_size))


def _writing(share: float) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(int(share * size))
            file.write(os.urandom(size - file.tell()))

    return write


def _rebuild(folder: Path) -> None:
    build_index(WordCorpus(500, seed=1), WordEncoder(), folder, BuildOptions(overwrite=True))


@contextmanager
def _searching(folder: Path) -> Iterator[subprocess.Popen[str]]:
    command = child_command("running", str(folder))
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=child_environment()
    ) as child:
        try:
            yield child
        finally:
            child.kill()


def _outcome(folder: Path, change: Callable[[], None]) -> str:
    with _searching(folder) as child:
        right = _ask(child)
        change()
        told = [_ask(child) for _ in range(3)]
    if "" in told:
        return "process died"
    if any(answer not in (right, "refused") for answer in told):
        return "wrong answer"
    return "taken out of service" if "refused" in told else "served as it was"


def _ask(child: subprocess.Popen[str]) -> str:
    if child.stdin is None or child.stdout is None:
        raise ValueError("the child has no pipes")
    try:
        child.stdin.write("ask\n")
        child.stdin.flush()
    except BrokenPipeError:
        return ""
    return child.stdout.readline().strip()


def main(folder: Path) -> None:
    """Answers the questions once for each line of standard input."""
    searcher = Searcher.open(folder, encoder=WordEncoder(), verify="now")
    for _ in sys.stdin:
        try:
            answer = answers_of(searcher)
        except RetrievalError:
            answer = "refused"
        print(answer, flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
