"""The same input gives the same bytes: on one machine, with one thread, in another process and another folder."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from retrieval.bundle.manifest import FILES, MANIFEST_FILE
from retrieval.bundle.manifest_values import CHECKSUM
from tests.conftest import random_texts
from tests.support import file_hashes

ROOT = Path(__file__).parents[2]
ONE_CORE = """
import os, sys
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
from scripts.build_index import main
sys.exit(main(sys.argv[1:]))
"""
WHEN = ("built_at", "build_seconds", CHECKSUM)
"""What a manifest says of the time, and its checksum over that."""


def built(source: Path, output: Path, hash_seed: int) -> tuple[dict[str, str], dict[str, Any]]:
    """Returns the hashes of the files of an index that a process of its own has built, and its manifest."""
    options = ["--corpus", "file", "--path", str(source), "--output", str(output), "--group-column", "group"]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
    subprocess.run(
        [sys.executable, "-c", ONE_CORE, *options, "--lists", "4", "--center"], cwd=ROOT, check=True, timeout=900,
        env={**os.environ, **threads, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": str(hash_seed)},
    )  # fmt: skip
    hashes = file_hashes(output)
    return {name: hashes[name] for name in FILES}, json.loads((output / MANIFEST_FILE).read_text())


@pytest.mark.model
def test_two_builds_of_the_same_input_give_equal_files(tmp_path: Path) -> None:
    source = tmp_path / "texts.csv"
    texts = [*random_texts(150), *random_texts(20)]
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([("text", "group"), *((text, place // 3) for place, text in enumerate(texts))])
    [one, about_one], [other, about_other] = (built(source, tmp_path / str(seed) / "index", seed) for seed in (1, 2))
    assert one == other
    differing = {name for name in about_one if about_one[name] != about_other[name]}
    assert differing <= set(WHEN), {name: (about_one[name], about_other[name]) for name in differing}
