"""Semantic search from sign bits in RAM and int8 vectors on disk."""

from retrieval.build_progress import BuildProgress
from retrieval.encoder import Encoder, load_encoder
from retrieval.errors import (
    BuildError,
    BundleCorruptError,
    BundleError,
    BundleIncompatibleError,
    BundleMissingError,
    CorpusError,
    DependencyError,
    HubError,
    ModelError,
    QueryError,
    RetrievalError,
    VectorsError,
)
from retrieval.indexer import BuildOptions, build_index
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
from retrieval.searcher import Searcher

__all__ = [
    "STAGES",
    "BuildError",
    "BuildOptions",
    "BuildProgress",
    "BundleCorruptError",
    "BundleError",
    "BundleIncompatibleError",
    "BundleMissingError",
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
