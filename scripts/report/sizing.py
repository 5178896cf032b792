"""What large collections take, extrapolated from the largest build that was measured.

The measurements are per row at 384 dimensions. Bits, int8 codes and the time of a scan grow with rows and dimensions;
everything else a row takes does not depend on its dimensions.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from retrieval.bundle.int8_store import store_bytes
from retrieval.evaluation.cost import GB_BYTES
from retrieval.quantization import num_code_bytes
from scripts.report.markdown import Figures

DOCUMENTS, DIMENSIONS = (41_000_000, 250_000_000, 1_000_000_000), (384, 1024)
NODE_GB, NODE_CORES = 64, 4
"""A machine of the article's kind, AWS x2gd.xlarge: its price per GB of RAM is the article's."""
USABLE = 0.8
"""Share of a machine's RAM that an index may take: the system, its file cache and queries need some."""
BUILD_CORES = 64
QUERY_MS = 100.0
"""The most time that a machine may take for the scan of one query on all its cores."""
MODELS = {384: ("all-MiniLM-L6-v2", 1.0), 1024: ("mxbai-embed-large-v1", 24 * 1024**2 / (6 * 384**2))}
"""A model of each dimension, and its work per token: layers times the square of their width, over the first's."""
_STAGES_BY_DIM = ("copying", "writing binary.faiss", "writing int8.usearch", "tuning")
LISTS_STAGE = "writing lists.faiss"


@dataclass(frozen=True, slots=True)
class Sizing:
    """What a number of documents takes, based on the largest build that was measured."""

    build: Figures
    encode_cpu_ms: float
    """CPU milliseconds per text of all-MiniLM-L6-v2."""
    documents: int
    dim: int

    @classmethod
    def all_of(cls, figures: Figures) -> list[Sizing]:
        """Returns those of the documents' table."""
        build = max(figures["builds"], key=lambda build: build["rows"])
        encode = figures["encoding"]["cpu_ms"]
        return [cls(build, encode, documents, dim) for documents in DOCUMENTS for dim in DIMENSIONS]

    @property
    def ram_bytes(self) -> float:
        """Returns the RAM of an index that is searched with `float-bits`: its bits, and everything else a row takes."""
        searching = self.build["searching"]
        measured = (searching["scans"]["float-bits"]["rss_bytes"] - searching["rss_bytes_before"]) / self.build["rows"]
        besides = max(0.0, measured - num_code_bytes(self.build["dim"]))
        return float(self.documents * (num_code_bytes(self.dim) + besides))

    @property
    def disk_bytes(self) -> float:
        """Returns the bytes of int8 codes, bits and documents."""
        documents = self.build["files"]["documents/documents.arrow"] / self.build["rows"]
        return float(store_bytes(self.documents, self.dim) + self.documents * (num_code_bytes(self.dim) + documents))

    @property
    def building_bytes(self) -> float:
        """Returns the disk space that a build needs, including the float32 vectors."""
        return self.disk_bytes + self.documents * 4 * self.dim

    @property
    def scan_core_ms(self) -> float:
        """Returns the CPU milliseconds of a query that is compared with all sign bits."""
        measured = self.build["searching"]["scans"]["float-bits"]["cpu_ms"] / self.build["rows"]
        return float(measured * self.documents * num_code_bytes(self.dim) / num_code_bytes(self.build["dim"]))

    @property
    def machines_by_ram(self) -> int:
        """Returns how many machines are needed to hold the bits."""
        return math.ceil(self.ram_bytes / (USABLE * NODE_GB * GB_BYTES))

    @property
    def machines_by_time(self) -> int:
        """Returns how many machines are needed to scan all bits in time."""
        return math.ceil(self.scan_core_ms / NODE_CORES / QUERY_MS)

    @property
    def machines(self) -> int:
        """Returns how many machines are needed: each holds one shard."""
        return max(self.machines_by_ram, self.machines_by_time)

    @property
    def encode_core_hours(self) -> float:
        """Returns the core hours of encoding, with the model for these dimensions."""
        return self.documents * self.encode_cpu_ms * MODELS[self.dim][1] / 3.6e6

    @property
    def other_core_hours(self) -> float:
        """Returns the core hours of all other stages, without lists, which shards do not need."""
        by_dim = sum(stage["cpu_seconds"] for stage in self.build["stages"] if stage["stage"] in _STAGES_BY_DIM)
        skipped = (*_STAGES_BY_DIM, LISTS_STAGE)
        others = sum(stage["cpu_seconds"] for stage in self.build["stages"] if stage["stage"] not in skipped)
        per_row = (by_dim * self.dim / self.build["dim"] + others) / self.build["rows"]
        return float(self.documents * per_row / 3600)

    @property
    def build_hours(self) -> float:
        """Returns how long a build takes: encoding on `BUILD_CORES` cores, then each shard on its own core."""
        return self.encode_core_hours / BUILD_CORES + self.other_core_hours / self.machines
