"""How long opening an index takes, and reading its codes once: the floor of any scan."""

from __future__ import annotations

from typing import Any

import numpy as np

from retrieval import Searcher
from retrieval.benchmark.timings import Timings
from retrieval.bundle.bundle import Bundle
from scripts.bench.job import Job, Report

_OPENINGS = 5
_READINGS = 30


def measure(job: Job, report: Report) -> dict[str, Any]:
    """Returns the timings of `open` (without the encoder; the codes' checksum included) and of `read_codes_once`."""
    report("opening the index")
    openings = Timings()
    for _ in range(_OPENINGS):
        searcher = openings.add(lambda: Searcher(Bundle.open(job.index), None))
    codes = np.array(searcher.codes)
    words = codes.reshape(-1).view(np.uint64 if codes.shape[1] % 8 == 0 else np.uint8)
    readings = Timings()
    for _ in range(_READINGS):
        readings.add(words.sum)
    return {"open": openings.to_json(), "read_codes_once": readings.to_json(), "codes_bytes": codes.nbytes}
