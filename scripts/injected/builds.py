"""Builds that are killed, or meet a full disk or a folder that takes nothing."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from retrieval import RetrievalError
from retrieval.bundle.manifest import MANIFEST_FILE
from scripts.injected.parts import (
    Fault,
    WordEncoder,
    build_small,
    content_of,
    not_refused,
    ran,
    seconds_of,
    started_child,
)

ROWS = 600
_STEP_S = 0.02
"""How long the encoder waits in each step, so that kills meet it at work."""
_NOBODY = 65534
AT_ONCE = 4


def run(kills: int = 50, disks: int = 20, seed: int = 0) -> list[Fault]:
    """Returns what came of builds that were disturbed, each run again undisturbed afterwards."""
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(AT_ONCE) as pool:
        home = Path(name)
        home.chmod(0o755)
        lasts_s = seconds_of(started_child("builds", "build", str(home / "undisturbed")))
        expected = content_of(home / "undisturbed")
        largest = max(path.stat().st_size for path in (home / "undisturbed").rglob("*") if path.is_file())
        rng = random.Random(seed)
        killed = Fault("build killed (kill -9) at a random moment")
        moments = [rng.uniform(0, 1.2) * lasts_s for _ in range(kills)]
        killed.outcomes.update(
            pool.map(lambda case: _killed(home / f"killed-{case}", moments[case], expected), range(kills))
        )
        full = Fault("disk full at a random moment of a build (RLIMIT_FSIZE)")
        limits = [rng.randrange(1, largest) for _ in range(disks)]
        full.outcomes.update(pool.map(lambda case: _full(home / f"full-{case}", limits[case], expected), range(disks)))
        return [killed, full, _read_only(home, expected)]


def _killed(folder: Path, after_s: float, expected: dict[str, str]) -> str:
    with started_child("builds", "build", str(folder)) as child:
        try:
            child.wait(after_s)
        except subprocess.TimeoutExpired:
            child.kill()
    if (folder / MANIFEST_FILE).exists():
        # It may have been killed before it removed what it keeps for going on.
        is_whole = expected.items() <= content_of(folder).items()
        return "done before the kill" if is_whole else "other files"
    return built_again(folder, expected, "went on to equal bytes")


def _full(folder: Path, limit_bytes: int, expected: dict[str, str]) -> str:
    stopped = ran("builds", "build", str(folder), str(limit_bytes))
    if stopped.returncode == 0:
        return "done within the limit"
    return built_after_refusal(stopped, folder, expected)


def built_after_refusal(
    refused: subprocess.CompletedProcess[str],
    folder: Path,
    expected: dict[str, str],
    then: str = "went on to equal bytes",
) -> str:
    """Returns what came of a build that should have refused with a message, and of the next one."""
    wrong = not_refused(refused.returncode, refused.stderr)
    return wrong or built_again(folder, expected, f"refused with a message, then {then}")


def built_again(folder: Path, expected: dict[str, str], outcome: str) -> str:
    """Builds undisturbed after a disturbed build, and returns the outcome, or what is wrong with the files."""
    again = ran("builds", "build", str(folder))
    if again.returncode != 0:
        print(again.stderr, file=sys.stderr)
        return "another error"
    if content_of(folder) != expected:
        return "other files"
    beside = [path for path in folder.parent.iterdir() if path.name.startswith(f"{folder.name}.")]
    return "files left behind" if beside else outcome


def _read_only(home: Path, expected: dict[str, str]) -> Fault:
    fault = Fault("build into a folder that cannot be written")
    parent = home / "locked"
    parent.mkdir(mode=0o555)
    refused = ran("builds", "build as nobody", str(parent / "index"))
    parent.chmod(0o755)
    fault.outcomes[built_after_refusal(refused, parent / "index", expected, "built")] += 1
    return fault


def main(arguments: Sequence[str]) -> int:
    """Builds within limits, and returns the exit status."""
    task, folder, *numbers = arguments
    print("ready", flush=True)
    if task == "build as nobody" and os.geteuid() == 0:
        os.setuid(_NOBODY)  # the superuser writes anywhere; and may be alone in reading the modules, imported by now
    if task == "build" and numbers:
        limit = int(numbers[0])
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        build_small(Path(folder), ROWS, encoder=WordEncoder(lambda: time.sleep(_STEP_S)))
    except RetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
