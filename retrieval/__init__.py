"""Semantic search with sign bits in RAM and int8 vectors on disk."""

import sys

try:
    import fcntl as _fcntl  # noqa: F401
except ImportError:
    sys.exit(
        "This program needs Linux or macOS: on Windows, use WSL (https://learn.microsoft.com/windows/wsl/install)."
    )

from retrieval.encoding.encoder import Encoder, load_encoder
from retrieval.errors import (
    BuildError,
    BundleCorruptError,
    BundleError,
    BundleIncompatibleError,
    BundleMissingError,
    BusyError,
    CorpusError,
    DependencyError,
    EngineError,
    HubError,
    ModelError,
    QueryError,
    RetrievalError,
    ScarceMemoryError,
    VectorsError,
)
from retrieval.indexing.indexer import build_index
from retrieval.indexing.options import BuildOptions
from retrieval.indexing.progress import BuildProgress
from retrieval.results import (
    SCANS,
    STAGES,
    Document,
    Hit,
    Latency,
    MemoryItem,
    MemoryReport,
    SearchKnobs,
    SearchResponse,
    SearchSettings,
)
from retrieval.search.searcher import Searcher

__version__ = "0.3.0"

__all__ = [
    "SCANS",
    "STAGES",
    "BuildError",
    "BuildOptions",
    "BuildProgress",
    "BundleCorruptError",
    "BundleError",
    "BundleIncompatibleError",
    "BundleMissingError",
    "BusyError",
    "CorpusError",
    "DependencyError",
    "Document",
    "Encoder",
    "EngineError",
    "Hit",
    "HubError",
    "Latency",
    "MemoryItem",
    "MemoryReport",
    "ModelError",
    "QueryError",
    "RetrievalError",
    "ScarceMemoryError",
    "SearchKnobs",
    "SearchResponse",
    "SearchSettings",
    "Searcher",
    "VectorsError",
    "build_index",
    "load_encoder",
]
