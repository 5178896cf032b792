"""Visitors' builds that are killed: the page's process goes on, and the next build is whole."""

from __future__ import annotations

import os
import random
import shutil
import signal
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from retrieval.bundle.bundle import Bundle
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import ChildQueue
from scripts.injected.parts import Fault, WordCorpus, content_of

_ROWS = 400
_TIME_LIMIT_S = 120.0


def run(kills: int = 50, seed: int = 0) -> list[Fault]:
    """Returns what came of builds with the real model that were killed at random moments."""
    fault = Fault("visitor's build killed (kill -9) at a random moment")
    queue = ChildQueue()
    try:
        with tempfile.TemporaryDirectory() as name:
            home = Path(name)
            source = home / "texts.csv"
            texts = [row["text"] for batch in WordCorpus(_ROWS).batches() for row in batch.to_pylist()]
            source.write_text("text\n" + "".join(f"{text}\n" for text in texts), encoding="utf-8")
            started = time.monotonic()
            queue.submit(_request(source, home / "undisturbed"), max_seconds=_TIME_LIMIT_S).wait()
            lasts_s = time.monotonic() - started
            expected = content_of(Bundle.open(home / "undisturbed").path)
            rng = random.Random(seed)
            for case in range(kills):
                outcome = _killed(queue, source, home / f"killed-{case:03}", rng.uniform(0.05, 1) * lasts_s, expected)
                fault.outcomes[outcome] += 1
    finally:
        queue.close()
    return [fault]


def _request(source: Path, output: Path) -> Mapping[str, Any]:
    limits = OwnLimits()
    return {
        "task": "build", "folder": str(source.parent), "source": str(source), "title": "texts", "output": str(output),
        "columns": {"text": "text"}, "max_rows": limits.max_rows, "max_text_chars": limits.max_text_chars,
        "max_file_bytes": limits.max_file_bytes, "model": None,
    }  # fmt: skip


def _killed(queue: ChildQueue, source: Path, output: Path, after_s: float, expected: Mapping[str, str]) -> str:
    job = queue.submit(_request(source, output), max_seconds=_TIME_LIMIT_S)
    job.wait(after_s)
    if not job.status.is_over and job.pid is not None:
        os.kill(job.pid, signal.SIGKILL)
    status = job.wait(_TIME_LIMIT_S)
    if status.state == "finished":
        return "done before the kill"
    if status.failure != "died":
        return "another error"
    for leftover in output.parent.glob(f"{output.name}*"):  # as the page does before each build
        shutil.rmtree(leftover)
    again = queue.submit(_request(source, output), max_seconds=_TIME_LIMIT_S).wait()
    if again.state != "finished":
        return "another error"
    return "told, and built to equal bytes by the next try" if content_of(output) == expected else "other files"
