"""Conversions of a model that are killed: the next start converts it again, and nothing of the killed one stays."""

from __future__ import annotations

import multiprocessing
import os
import random
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from retrieval.encoding.encoder import load_encoder
from retrieval.encoding.model_files import DEFAULT_MODEL
from scripts.injected.parts import Fault, content_of

_IMPORTS = ["torch", "sentence_transformers", "retrieval.encoding.conversion"]
"""What takes many seconds to import: once, in the process from which those that convert are forked."""
_AT_ONCE = 2
_TIME_LIMIT_S = 600.0


def run(kills: int = 20, seed: int = 0, model: str | Path = DEFAULT_MODEL) -> list[Fault]:
    """Returns what came of conversions of a model that were killed, each followed by one that was not."""
    fault = Fault("conversion of the model killed (kill -9) at a random moment")
    multiprocessing.set_forkserver_preload(_IMPORTS)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor(_AT_ONCE) as pool:
        home = Path(name)
        for cache in (home / "first", home / "second"):  # the first one waits for the imports
            started = time.monotonic()
            _convert(model, cache)
        lasts_s = time.monotonic() - started
        expected = content_of(home / "first")
        rng = random.Random(seed)
        moments = [rng.uniform(0, 1.1) * lasts_s for _ in range(kills)]
        caches = [home / f"killed-{case}" for case in range(kills)]
        fault.outcomes.update(pool.map(partial(_outcome, model, expected), caches, moments))
    return [fault]


def _convert(model: str | Path, cache: Path, kill_after_s: float | None = None) -> int | None:
    """Converts in its own process, and returns its exit status; negative numbers are signals."""
    child = multiprocessing.get_context("forkserver").Process(target=_load, args=(str(model), str(cache)))
    child.start()
    child.join(_TIME_LIMIT_S if kill_after_s is None else kill_after_s)
    child.kill()
    child.join()
    return child.exitcode


def _load(model: str, cache: str) -> None:
    os.environ["EMBEDDING_QUANTIZATION_CACHE"] = cache
    load_encoder(model, backend="openvino")


def _outcome(model: str | Path, expected: dict[str, str], cache: Path, after_s: float) -> str:
    status = _convert(model, cache, after_s)
    if status == 0:
        return "done before the kill" if content_of(cache) == expected else "other files"
    if status is None or status > 0:
        return "another error"
    if (status := _convert(model, cache)) != 0:
        print(f"exit status {status}", file=sys.stderr)
        return "another error"
    if len(list(cache.iterdir())) != 1:
        return "files left behind"
    return "converted again to equal bytes" if content_of(cache) == expected else "other files"
