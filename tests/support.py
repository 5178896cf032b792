"""What test files share that needs no fixture: waiting, children, file hashes, HTML as it is read, a search oracle."""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import pytest

from retrieval import Searcher
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import EMBEDDINGS_FILE, MANIFEST_FILE
from retrieval.bundle.manifest_values import sealed
from retrieval.encoding.model_cache import sha256_of
from retrieval.native.library import library
from retrieval.quantization import Float32s, binarize, unpack_signs

Made = TypeVar("Made")
COMPILED_OR_NOT = (
    pytest.param("c", marks=pytest.mark.skipif(library() is None, reason="it was not compiled")),
    "python",
)
"""The parameters of a fixture that runs tests with the compiled functions and without."""
ROOT = Path(__file__).parents[1]
PATIENCE_S = 120.0
"""How long a test waits for what must come. What comes sooner ends the wait: only a busy machine needs it all."""
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "</code></pre><svg onload=alert(1)>",
    "${alert(1)} `${alert(1)}` {{value}} {{{value}}}",
    "<!-- --><style>*{display:none}</style>",
    "&lt;b&gt; &amp;#x27;",
]


def in_loop(make: Callable[[], Made]) -> Made:
    """Returns what `make` returns. Where no event loop runs, `gr.Blocks` makes one of its own and leaves it open."""

    async def run() -> Made:
        return make()

    return asyncio.run(run())


def wait_until(
    holds: Callable[[], object], timeout_s: float = PATIENCE_S, told: Callable[[], str] = lambda: ""
) -> None:
    """Waits until a condition holds; fails with what `told` returns when that takes too long."""
    deadline = time.monotonic() + timeout_s
    while not holds():
        assert time.monotonic() < deadline, f"not within {timeout_s} s: {told()}"
        time.sleep(0.02)


def run_python(code: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs code in a process of its own, in the folder of the project, whose packages it sees."""
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=900, cwd=ROOT, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT), **environment},
    )  # fmt: skip


def alter(path: Path, position: int | None = None) -> None:
    """Flips the bits of a byte of a file; of the one in the middle, where none is named."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2 if position is None else position] ^= 0xFF
    path.write_bytes(content)


def is_alive(pid: int) -> bool:
    """Returns whether a process runs; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def die() -> None:
    """Ends this process as a kill does."""
    os.kill(os.getpid(), signal.SIGKILL)


def run_in_child(target: Callable[..., None], *arguments: Any) -> int | None:
    """Returns the exit code of a process that runs a function of the indexing tests."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.indexing.test_stopped_builds"])
    process = context.Process(target=target, args=arguments)
    process.start()
    process.join(PATIENCE_S)
    return process.exitcode


def file_hashes(folder: Path) -> dict[str, str]:
    """Returns the hash of every file but the manifest, which has the time in it."""
    files = [path for path in folder.rglob("*") if path.is_file() and path.name != MANIFEST_FILE]
    return {str(path.relative_to(folder)): sha256_of(path) for path in files}


def change_manifest(bundle: Bundle, change: Callable[[dict[str, Any]], object]) -> None:
    """Changes the values of a manifest as a new build would: with a checksum that fits them."""
    path = bundle.path / MANIFEST_FILE
    values = json.loads(path.read_text())
    change(values)
    path.write_text(json.dumps(sealed(values)))


class Reader(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@dataclass
class Oracle:
    """The whole search path in plain numpy, one distinct text at a time."""

    embeddings: Float32s
    bundle: Bundle

    @classmethod
    def of(cls, searcher: Searcher) -> Oracle:
        return cls(np.load(searcher.bundle.file(EMBEDDINGS_FILE)), searcher.bundle)

    def distances(self, query: Float32s) -> npt.NDArray[np.int64]:
        different: npt.NDArray[np.int64] = ((self.embeddings > 0) != (query > 0)).sum(axis=1)
        return different

    def search(
        self, query: Float32s, top_k: int, num_candidates: int, multiplier: int, *, asymmetric: bool, rescore: bool
    ) -> tuple[list[int], list[float]]:
        order = np.argsort(self.distances(query), kind="stable")[:num_candidates]
        dim = len(query)
        scores = np.cos(np.pi * self.distances(query)[order] / dim)
        if asymmetric:
            signs = unpack_signs(binarize(self.embeddings[order]), dim).astype(np.float64)
            scores = signs @ query / (np.sqrt(dim) * np.sqrt(2 / np.pi))
            order, scores = order[best := np.argsort(-scores, kind="stable")], scores[best]
        if rescore:
            order = order[: multiplier * top_k]
            quantizer = self.bundle.manifest.quantizer
            decoded = quantizer.decode(quantizer.encode(self.embeddings[order])).astype(np.float64)
            scores = decoded @ query
        best = np.lexsort((order, -scores))[:top_k]
        return order[best].tolist(), np.clip(scores[best], -1, 1).tolist()
