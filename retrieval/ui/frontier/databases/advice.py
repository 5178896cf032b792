"""For each database, the cheapest scheme that it offers and that reaches the target on the measured vectors."""

from __future__ import annotations

from dataclasses import dataclass

from retrieval.evaluation.frontier.points import Frontier
from retrieval.evaluation.frontier.recommend import Recommendation, Wish, recommend
from retrieval.ui.frontier.databases.base import Database
from retrieval.ui.frontier.databases.engines import LANCEDB, MILVUS, MILVUS_RABITQ, QDRANT
from retrieval.ui.frontier.databases.libraries import FAISS, SENTENCE_TRANSFORMERS, USEARCH
from retrieval.ui.frontier.databases.postgres import PGVECTOR
from retrieval.ui.frontier.databases.servers import ELASTICSEARCH, OPENSEARCH, VESPA, WEAVIATE

DATABASES: tuple[Database, ...] = (
    PGVECTOR,
    QDRANT,
    MILVUS,
    MILVUS_RABITQ,
    ELASTICSEARCH,
    OPENSEARCH,
    WEAVIATE,
    LANCEDB,
    VESPA,
    FAISS,
    USEARCH,
    SENTENCE_TRANSFORMERS,
)
"""Every database that settings can be written for."""


@dataclass(frozen=True, slots=True)
class Advice:
    """The settings for one database."""

    database: Database
    recommendation: Recommendation
    """The best of the schemes that this database offers."""
    settings: str
    """Empty if none of its schemes reaches the target."""


def advice_for(database: Database, frontier: Frontier, wish: Wish) -> Advice:
    """Returns the settings of the cheapest measured point that the database can do, on whole vectors."""
    found = recommend(frontier, wish, among=lambda point: point.dim == frontier.dim and database.offers(point))
    if found.best is None:
        return Advice(database, found, "")
    return Advice(database, found, database.settings(found.best.point, frontier.metric, frontier.k))
