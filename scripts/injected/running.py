"""Files that are replaced, removed, overwritten or cut short while a process searches the index."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from retrieval import BuildOptions, RetrievalError, Searcher, build_index
from retrieval.bundle.bundle import FILES
from scripts.injected.parts import (
    Fault,
    WordCorpus,
    WordEncoder,
    answers_of,
    build_small,
    child_command,
    child_environment,
)

_ANSWER_S = 60.0
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
    faults = []
    for name, ways in changes.items():
        fault = Fault(f"file of an index {name} under a running process")
        for file in FILES:
            for way in ways:
                with tempfile.TemporaryDirectory() as home:
                    folder = build_small(Path(home) / "index", _ROWS).path
                    if (folder / file).exists():
                        fault.outcomes[_outcome(folder, partial(way, folder / file))] += 1
        faults.append(fault)
    folder_fault = Fault("index built again under a running process")
    with tempfile.TemporaryDirectory() as home:
        folder = build_small(Path(home) / "index", _ROWS).path
        folder_fault.outcomes[_outcome(folder, lambda: _rebuild(folder))] += 1
    return [*faults, folder_fault]


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
