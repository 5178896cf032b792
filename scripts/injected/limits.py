"""Too little of what the system gives: file handles for a search, memory for a build and for a search."""

from __future__ import annotations

import random
import resource
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from retrieval import RetrievalError, Searcher
from scripts.injected.builds import AT_ONCE, ROWS, built_after_refusal
from scripts.injected.parts import Fault, WordEncoder, answers_of, build_small, content_of, not_refused, ran

_SEARCH_BYTES, _BUILD_BYTES = 3e5, 2e6
"""Of memory: enough to open the small index and search it, and to build it."""
_MEMORY = (("RLIMIT_AS", resource.RLIMIT_AS, "VmSize"), ("RLIMIT_DATA", resource.RLIMIT_DATA, "VmData"))
"""Kinds of limits, and what /proc calls that which they limit."""


def run(handles: int = 12, memory: int = 24, seed: int = 0) -> list[Fault]:
    """Returns what came of builds and searches that met a limit of the system."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        home = Path(name)
        expected = content_of(build_small(home / "undisturbed", ROWS).path)
        few = Fault("too few file handles for a search (RLIMIT_NOFILE)")
        few.outcomes.update(pool.map(lambda free: _searched(home / "undisturbed", "handles", free), range(handles)))
        rng = random.Random(seed)
        shares = [case // 2 * 2 / memory * rng.uniform(0.5, 1) for case in range(memory)]  # the first two have none
        names = ", ".join(kind[0] for kind in _MEMORY)
        search = Fault(f"too little memory to open an index and to search it ({names})")
        search.outcomes.update(
            pool.map(
                lambda case: _searched(home / "undisturbed", str(case % 2), int(shares[case] * _SEARCH_BYTES)),
                range(memory),
            )
        )
        build = Fault(f"too little memory for a build ({names})")
        build.outcomes.update(
            pool.map(
                lambda case: _built(home / f"scarce-{case}", str(case % 2), int(shares[case] * _BUILD_BYTES), expected),
                range(memory),
            )
        )
        return [few, search, build]


def _searched(folder: Path, what: str, left: int) -> str:
    child = ran("limits", "search", str(folder), what, str(left))
    if child.returncode == 0:
        return child.stdout.strip()
    return not_refused(child.returncode, child.stderr) or "refused with a message"


def _built(folder: Path, what: str, left: int, expected: dict[str, str]) -> str:
    child = ran("limits", "build", str(folder), what, str(left))
    if child.returncode == 0:
        return "done within the limit" if content_of(folder) == expected else "other files"
    return built_after_refusal(child, folder, expected)


def _limit(what: str, left: int) -> None:
    """Leaves so many handles, or bytes of memory, to this process."""
    if what == "handles":
        kind, used = resource.RLIMIT_NOFILE, len(list(Path("/proc/self/fd").iterdir())) - 1
    else:
        _, kind, name = _MEMORY[int(what)]
        status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text().splitlines())
        used = int(status[name].split()[0]) * 1024
    resource.setrlimit(kind, (used + left, resource.getrlimit(kind)[1]))


def main(arguments: Sequence[str]) -> int:
    """Builds or searches within a limit, once all modules are imported, and returns the exit status."""
    task, name, what, left = arguments
    folder = Path(name)
    try:
        if task == "build":
            with tempfile.TemporaryDirectory() as other:
                build_small(Path(other) / "first")
            _limit(what, int(left))
            build_small(folder, ROWS)
            return 0
        right = _answers(folder)
        _limit(what, int(left))
        print("answered rightly" if _answers(folder) == right else "wrong answer")
    except RetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _answers(folder: Path) -> str:
    return answers_of(Searcher.open(folder, encoder=WordEncoder(), verify="now"))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
