"""Builds on a Ray cluster, in a process of their own: `python -m tests.indexing.ray_builds ADDRESS FOLDER NAME...`.

Each NAME is a function below. It builds FOLDER/NAME, and what it returns becomes FOLDER/NAME.json.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from retrieval import BuildOptions, BuildProgress, build_index
from retrieval.errors import RetrievalError
from retrieval.indexing.ray_workers import RayWorkers, ray_workers
from tests.conftest import FakeEncoder, RowsCorpus, random_texts
from tests.support import die

TEXTS = random_texts(600)
ROWS = [{"text": text, "group": text[:4]} for text in [*TEXTS, *TEXTS[:200], " "]]
BATCH = 40


def corpus() -> RowsCorpus:
    return RowsCorpus(ROWS, batch_size=90)


def build(
    output: Path,
    workers: RayWorkers | None,
    on_step: Callable[[BuildProgress], None] = lambda _: None,
    rows: RowsCorpus | None = None,
) -> None:
    """Builds the index of `ROWS`, in this process where there are no workers."""
    options = BuildOptions(checkpoint_texts=BATCH, lists=4)
    build_index(rows or corpus(), FakeEncoder(), output, options, on_step, workers)


def whole(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Builds an index, and says where the batches were worked on."""
    build(output, workers)
    return {"workers": workers.num_workers, "processes": len({*workers.map(_process, range(40))} - {os.getpid()})}


def worker_killed(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Builds an index while a worker is killed as soon as some vectors are there."""
    killed: list[int] = []

    def kill_one(step: BuildProgress) -> None:
        if step.phase == "encoding" and step.done and not killed:
            killed.append(next(workers.map(_process, [0])))
            os.kill(killed[0], signal.SIGKILL)

    build(output, workers, kill_one)
    return {"killed": len(killed), "still_used": killed[0] in {*workers.map(_process, range(40))}}


class TellsItsReader(RowsCorpus):
    """A corpus that says which process reads it."""

    def __init__(self, told: Path) -> None:
        super().__init__(ROWS, batch_size=90)
        self._told = told

    def batches(self) -> Iterator[pa.RecordBatch]:
        self._told.write_text(str(os.getpid()))
        yield from super().batches()


def reader_killed(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Builds an index while the process that reads the corpus is killed, some batches before the end."""
    told = output.with_suffix(".pid")
    killed: list[int] = []

    def kill_it(step: BuildProgress) -> None:
        if step.phase == "reading" and step.done >= 90 and not killed:
            killed.append(int(told.read_text()))
            os.kill(killed[0], signal.SIGKILL)

    build(output, workers, kill_it, TellsItsReader(told))
    return {"killed": len(killed), "read_again": int(told.read_text()) not in {*killed, os.getpid()}}


def builder_killed(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Dies in the middle of a build."""

    def die_at_half(step: BuildProgress) -> None:
        if step.phase == "encoding" and step.done >= len(TEXTS) // 2:
            die()

    build(output, workers, die_at_half)
    return {}


def continued(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Builds the rest of what `builder_killed` left, and says how many vectors were there."""
    done: list[int] = []
    rest = output.with_name("builder_killed")
    build(rest, workers, lambda step: done.append(step.done) if step.phase == "encoding" else None)
    return {"went_on_from": done[0]}


def bounded(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Says how many batches were taken at once while results were awaited, and whether their order was kept."""
    taken = 0

    def batches() -> Iterator[int]:
        nonlocal taken
        for number in range(60):
            taken += 1
            yield number

    most = 0
    found: list[int] = []
    for result in workers.map(_doubled, batches()):
        most = max(most, taken - len(found))
        found.append(result)
    return {"most": most, "allowed": workers.most_under_way + 1, "in_order": found == [2 * n for n in range(60)]}


def another_model(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Builds with an encoder that the workers do not have."""
    encoder = FakeEncoder()
    encoder.weights_sha256 = "0" * 64
    try:
        build_index(corpus(), encoder, output, workers=workers)
    except RetrievalError as error:
        return {"error": type(error).__name__, "message": str(error)}
    return {}


def given_vectors(workers: RayWorkers, output: Path) -> dict[str, Any]:
    """Builds from vectors that are given, which nobody encodes."""
    vectors = output.with_suffix(".npy")
    np.save(vectors, FakeEncoder().encode([row["text"] for row in ROWS]) + np.float32(0.01))
    for place, used in ((output, workers), (output.with_name("given_vectors_here"), None)):
        build_index(corpus(), None, place, BuildOptions(embeddings=vectors), workers=used)
    return {}


def _process(_: int) -> int:
    return os.getpid()


def _doubled(number: int) -> int:
    return 2 * number


def main(address: str, folder: str, *names: str) -> None:
    """Runs some of the functions above, one after the other, with the same workers."""
    with ray_workers(address, FakeEncoder) as workers:
        for name in names:
            found = globals()[name](workers, Path(folder) / name)
            (Path(folder) / f"{name}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
