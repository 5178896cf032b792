"""Damaged files of an index: each is opened in a child process, which may die of it, and searched."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from retrieval import RetrievalError, Searcher
from retrieval.bundle.manifest import FILES, MANIFEST_FILE
from scripts.injected.parts import Fault, WordEncoder, answers_of, build_small, child_command, child_environment

_CASE_S = 60.0
DAMAGES = ("missing", "empty", "truncated", "one byte flipped", "swapped")


@dataclass(frozen=True, slots=True)
class Case:
    """One damage of one file."""

    damage: str
    file: str
    position: int = 0

    def __str__(self) -> str:
        return f"{self.damage}|{self.file}|{self.position}"

    @classmethod
    def of(cls, line: str) -> Case:
        """Returns the case that was written as a line."""
        damage, file, position = line.strip().split("|")
        return cls(damage, file, int(position))

    def inflict(self, folder: Path, other: Path) -> None:
        """Damages the file in a folder; `other` is another index."""
        path = folder / self.file
        if self.damage == "missing":
            path.unlink()
        elif self.damage == "swapped":
            path.write_bytes((other / self.file).read_bytes())
        elif self.damage == "one byte flipped":
            content = bytearray(path.read_bytes())
            content[self.position] ^= 0xFF
            path.write_bytes(content)
        else:
            path.write_bytes(path.read_bytes()[: self.position])


def cases(folder: Path, truncations: int, flips: int, manifest_step: int = 1) -> Iterator[Case]:
    """Yields the damages of every file of an index, spread evenly over it; of the manifest, every n-th byte."""
    for name in (*FILES, MANIFEST_FILE):
        path = folder / name
        if not path.exists():
            continue
        size = path.stat().st_size
        flipped = range(0, size, manifest_step) if name == MANIFEST_FILE else _spread(size, flips)
        yield Case("missing", name)
        yield Case("empty", name)
        yield Case("swapped", name)
        yield from (Case("truncated", name, position) for position in _spread(size, truncations))
        yield from (Case("one byte flipped", name, position) for position in flipped)


def _spread(size: int, count: int) -> list[int]:
    return sorted({*(size * part // count for part in range(count)), size - 1})


def run(truncations: int = 100, flips: int = 200, manifest_step: int = 1) -> list[Fault]:
    """Returns what came of all cases, by damage."""
    faults = {damage: Fault(f"file of an index {damage}") for damage in DAMAGES}
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        build_small(home / "whole")
        build_small(home / "other", seed=1)
        left = list(cases(home / "whole", truncations, flips, manifest_step))
        while left:
            told = _told_by_child(home, left)
            for case, outcome in zip(left, told, strict=False):
                faults[case.damage].outcomes[outcome] += 1
            left = left[len(told) :]
    return list(faults.values())


def _told_by_child(home: Path, left: Sequence[Case]) -> list[str]:
    """Returns the outcomes of the cases up to the one, if any, that ended the child."""
    try:
        child = subprocess.run(
            child_command("damage", str(home)), input="".join(f"{case}\n" for case in left), text=True,
            env=child_environment(), stdout=subprocess.PIPE, timeout=_CASE_S + len(left), check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired as late:
        lines = late.stdout.decode() if isinstance(late.stdout, bytes) else (late.stdout or "")
        return [*lines.splitlines(), "no answer in time"][: len(left)]
    told = child.stdout.splitlines()
    return told if len(told) == len(left) else [*told, "process died"]


def _outcome(folder: Path, right: str) -> str:
    refused = "refused at opening"
    try:
        searcher = Searcher.open(folder, encoder=WordEncoder())
        refused = "taken out of service"
        searcher.files.verification.wait()
        return "answered rightly" if answers_of(searcher) == right else "wrong answer"
    except RetrievalError:
        return refused
    except Exception as error:  # noqa: BLE001 - what the case is there to find
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return "another error"


def main(home: Path) -> None:
    """Tries the cases that come on standard input, and prints the outcome of each."""
    right = answers_of(Searcher.open(home / "whole", encoder=WordEncoder(), verify="now"))
    folder = home / "damaged"
    if not folder.exists():
        shutil.copytree(home / "whole", folder)
    for line in sys.stdin:
        case = Case.of(line)
        for name in (*FILES, MANIFEST_FILE):  # a case before this process may have ended the one before
            _restore(home / "whole" / name, folder / name)
        case.inflict(folder, home / "other")
        outcome = _outcome(folder, right)
        if outcome in ("wrong answer", "another error"):
            print(case, file=sys.stderr)
        print(outcome, flush=True)


def _restore(whole: Path, path: Path) -> None:
    """Puts a whole file instead of one that was damaged, which may still be open."""
    if whole.exists() and not (path.exists() and path.stat().st_mtime_ns == whole.stat().st_mtime_ns):
        fresh = path.with_name(f"{path.name}.fresh")
        shutil.copy2(whole, fresh)
        fresh.replace(path)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
