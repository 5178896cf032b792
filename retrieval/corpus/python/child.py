"""Runs the program in `probe` in its own process, with a minimal environment and a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROBE = Path(__file__).with_name("probe.py")
POLL_S = 0.05
# What an interpreter needs to start. The rest stays out: an environment is full of secrets, and a default value such
# as `env=os.environ` would print it into a signature.
KEPT_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")


@dataclass(frozen=True, slots=True)
class ChildReport:
    """What one child wrote before it ended."""

    lines: tuple[dict[str, Any], ...]
    cut_short: str | None
    """Why it ended before its job did; None when it finished."""

    @property
    def culprit(self) -> str | None:
        """Returns the module that was begun but not finished."""
        begun = self.lines[-1].get("start") if self.lines else None
        return begun if isinstance(begun, str) else None


def run_child(modules: Sequence[str], *, module_timeout_s: float) -> ChildReport:
    """Returns what a single child reports of `modules`, killed when one takes longer than `module_timeout_s`."""
    # A stray child may still be writing when the folder is deleted.
    with tempfile.TemporaryDirectory(prefix="python-corpus-", ignore_cleanup_errors=True) as folder:
        job, out = Path(folder, "job.json"), Path(folder, "out.jsonl")
        job.write_text(json.dumps({"sys_path": _search_path(), "modules": list(modules)}), encoding="utf-8")
        process = subprocess.Popen(
            [sys.executable, "-P", "-s", "-W", "ignore", "-X", "utf8", str(PROBE), str(job), str(out)],
            cwd=folder,
            env=_environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that everything a module started ends with the child
        )
        try:
            hung = _wait(process, out, module_timeout_s)
        finally:
            _end(process)
        lines = _read_lines(out)
    if len([line for line in lines if "module" in line]) == len(modules):
        return ChildReport(lines, None)
    reason = f"took longer than {module_timeout_s:g} s" if hung else f"ended the child, status {process.returncode}"
    return ChildReport(lines, reason)


def _search_path() -> list[str]:
    """Returns the full paths where this process looks for modules, because the child works in another folder.

    The standard library comes first: a `calendar.py` in the working directory is not what is documented.
    """
    stdlib = Path(sysconfig.get_path("stdlib"))
    standard = {str(stdlib), str(stdlib / "lib-dynload"), sysconfig.get_path("platstdlib")}
    return sorted((str(Path(entry).absolute()) for entry in sys.path), key=lambda entry: entry not in standard)


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT_ENVIRONMENT if name in os.environ}
    # A fixed seed, for the `repr` of a set that is a default value; no window; no thread pools, as nothing computes.
    added = {"PYTHONHASHSEED": "0", "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    return kept | added


def _wait(process: subprocess.Popen[bytes], out: Path, module_timeout_s: float) -> bool:
    """Returns True if the child is still running `module_timeout_s` after it last wrote a line."""
    size, since = -1, time.monotonic()
    while True:
        try:
            process.wait(timeout=POLL_S)
            return False
        except subprocess.TimeoutExpired:
            grown = out.stat().st_size if out.exists() else -1
            if grown != size:
                size, since = grown, time.monotonic()
            elif time.monotonic() - since > module_timeout_s:
                return True


def _end(process: subprocess.Popen[bytes]) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):  # no process of its session is left
            os.killpg(process.pid, signal.SIGKILL)
    process.kill()
    process.wait()


def _read_lines(out: Path) -> tuple[dict[str, Any], ...]:
    """Returns the complete lines: not the last one of a killed child, nor one that a module wrote into."""
    lines = []
    for line in out.read_bytes().split(b"\n") if out.exists() else ():
        with contextlib.suppress(ValueError):
            lines.append(json.loads(line))
    return tuple(line for line in lines if isinstance(line, dict))
