"""Semantic search from sign bits in RAM and int8 vectors on disk."""

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
    HubError,
    ModelError,
    QueryError,
    RetrievalError,
    VectorsError,
)
from retrieval.indexing.indexer import BuildOptions, build_index
from retrieval.indexing.progress import BuildProgress
from retrieval.results import (
    STAGES,
    Document,
    Hit,
    Latency,
    MemoryItem,
    MemoryReport,
    SearchResponse,
    SearchSettings,
)
from retrieval.search.searcher import Searcher

__version__ = "0.2.0"

__all__ = [
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
    "Hit",
    "HubError",
    "Latency",
    "MemoryItem",
    "MemoryReport",
    "ModelError",
    "QueryError",
    "RetrievalError",
    "SearchResponse",
    "SearchSettings",
    "Searcher",
    "VectorsError",
    "build_index",
    "load_encoder",
]
