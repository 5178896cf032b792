"""Which engines are compared, how each is configured, and which search settings are tried."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from retrieval.bundle.versions import installed_versions

Setting = Mapping[str, int]
"""Search-time knobs of one engine, by name."""

INSTALL = ".venv/bin/python -m pip install -r requirements-bench.txt"


@dataclass(frozen=True, slots=True)
class Entry:
    """One engine of the comparison."""

    name: str
    title: str
    about: str
    """How it is configured, in words."""
    module: str
    """What builds and opens it, relative to this package; only its own process imports it."""
    packages: tuple[str, ...]
    settings: tuple[Setting, ...]
    """What the sweep tries."""
    is_ours: bool = False
    needs_lists: bool = False
    """Ours: searches the lists of the index; one that was built without them has no such row."""

    def versions(self) -> dict[str, str]:
        """Returns the versions of those of its packages that are installed."""
        return installed_versions(self.packages)

    @property
    def installed(self) -> bool:
        """Returns whether all its packages are at hand."""
        return len(self.versions()) == len(self.packages)


def label(setting: Setting) -> str:
    """Returns a setting in words."""
    return ", ".join(_in_words(name, value) for name, value in setting.items()) or "defaults"


def _in_words(name: str, value: int) -> str:
    return "lists in reach" if (name, value) == ("probes", IN_REACH) else f"{name} {value:,}"


def _grid(first: str, second: str, pairs: tuple[tuple[int, int], ...]) -> tuple[Setting, ...]:
    return tuple({first: a, second: b} for a, b in pairs)


_GRAPH_WIDTHS = (16, 32, 64, 96, 128, 192, 256, 320, 384, 512)
_INT8_ROWS = (50, 100, 150, 200, 400)
IN_REACH = 0
"""As `probes`: the index's own number of lists, less those out of the query's reach."""
_PROBES = (IN_REACH, 32, 64, 96, 128, 192, 256, 384, 512, 768)
_RABITQ = ((16, 10), (32, 10), (64, 10), (64, 20), (128, 20), (256, 20), (256, 40), (384, 20), (512, 20), (512, 40))

ENTRIES = (
    Entry(
        "ours", "ours, at the defaults of the index",
        "sign bits in RAM, float query x bits, int8 rows read from disk",
        ".ours", ("faiss-cpu", "usearch"), ({},), is_ours=True,
    ),
    Entry(
        "ours_at_target", "ours, at the target", "the same path; a fifth of the candidates is rescored with int8",
        ".ours", ("faiss-cpu", "usearch"),
        _grid("num_candidates", "int8_rows", tuple((n, n // 5) for n in (100, 200, 500, 1000, 2000, 4000, 8000))),
        is_ours=True,
    ),
    Entry(
        "ours_float_bits", "ours, scan float-bits", "float query x all sign bits in RAM, int8 rows read from disk",
        ".ours", ("faiss-cpu", "usearch"), tuple({"int8_rows": rows} for rows in _INT8_ROWS),
        is_ours=True,
    ),
    Entry(
        "ours_lists", "ours, scan lists", "float query x bits in the nearest lists, int8 rows read from disk",
        ".ours", ("faiss-cpu", "usearch"),
        _grid("probes", "int8_rows", tuple((probes, rows) for rows in (100, 150, 200) for probes in _PROBES)),
        is_ours=True, needs_lists=True,
    ),
    Entry(
        "faiss_hnsw", "faiss HNSW32, float32", "M 32, efConstruction 40 (default), read into RAM",
        ".faiss_hnsw", ("faiss-cpu",), tuple({"efSearch": ef} for ef in _GRAPH_WIDTHS),
    ),
    Entry(
        "faiss_rabitq", "faiss IVF RaBitQ, int8 refine",
        "random rotation, about 2 sqrt(n) lists, 1 bit with fast scan, 8-bit queries, SQ8 refine, read into RAM",
        ".faiss_rabitq", ("faiss-cpu",),
        # The threads of one query wait for each other: on busy cores, one is faster than all.
        tuple(
            {"nprobe": nprobe, "k_factor": k, "all_threads": both, "implem": implem}
            for both, implem in ((0, 0), (1, 0), (0, 10), (0, 11)) for nprobe, k in _RABITQ
        ),
    ),
    Entry(
        "usearch_hnsw", "usearch HNSW, int8",
        "connectivity 16, expansion_add 128 (defaults), one int8 scale fitted to the vectors, read into RAM",
        ".usearch_hnsw", ("usearch",), tuple({"expansion": ef} for ef in _GRAPH_WIDTHS),
    ),
    Entry(
        "qdrant_edge", "Qdrant Edge, binary quantization",
        "m 16, ef_construct 100 (defaults), bits pinned in RAM, float32 vectors mapped from disk for rescoring",
        ".qdrant_binary", ("qdrant-edge-py",),
        tuple({"oversampling": n} for n in (4, 8, 16, 24, 32, 40, 48, 56, 64, 100)),
    ),
    Entry(
        "scann", "ScaNN, tree and 4-bit codes, float32 reorder",
        "sqrt(n) leaves, score_ah(2) with anisotropic threshold 0.2, float32 vectors for reordering, all in RAM",
        ".scann_tree", ("scann",),
        _grid("leaves", "reordered", ((32, 100), (64, 100), (64, 200), (96, 100), (128, 100), (128, 200), (192, 150),
                                      (256, 150), (256, 300))),
    ),
    Entry(
        "lancedb_rq", "LanceDB IVF_RQ", "1 bit, about n / 4,096 partitions, float32 vectors on disk for refining",
        ".lancedb_rq", ("lancedb",),
        _grid("nprobes", "refine_factor", ((8, 10), (16, 10), (16, 20), (32, 10), (32, 20), (64, 20), (64, 40),
                                           (128, 40))),
    ),
)  # fmt: skip
