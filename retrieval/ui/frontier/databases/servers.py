"""Search servers whose settings are JSON or a schema: from their documentation, not run here."""

from __future__ import annotations

import json

from retrieval.quantization import num_code_bytes
from retrieval.ui.frontier.databases.base import Asked, Database, Writer

_ELASTIC = {"cosine": "cosine", "inner product": "max_inner_product", "euclidean": "l2_norm"}
_OPENSEARCH = {"cosine": "cosinesimil", "inner product": "innerproduct", "euclidean": "l2"}
_WEAVIATE = {"cosine": "COSINE", "inner product": "DOT", "euclidean": "L2_SQUARED"}


def _request(line: str, body: dict[str, object]) -> str:
    return f"{line}\n{json.dumps(body, indent=2)}\n"


def _elasticsearch(kind: str) -> Writer:
    def write(asked: Asked) -> str:
        field = {
            "type": "dense_vector",
            "dims": asked.dim,
            "similarity": _ELASTIC[asked.metric],
            "index_options": {"type": kind, "rescore_vector": {"oversample": float(asked.oversampling)}},
        }
        if asked.oversampling == 1:
            field["index_options"] = {"type": kind, "rescore_vector": {"oversample": 0}}
        knn = {
            "field": "embedding",
            "query_vector": "<your query vector>",
            "k": asked.k,
            "num_candidates": max(100, 2 * asked.candidates),
        }
        return _request("PUT items", {"mappings": {"properties": {"embedding": field}}}) + _request(
            "POST items/_search", {"size": asked.k, "knn": knn}
        )

    return write


ELASTICSEARCH = Database(
    name="Elasticsearch",
    version="9.1",
    link="https://www.elastic.co/docs/reference/elasticsearch/mapping-reference/dense-vector",
    writers={
        "RaBitQ 1 bit": _elasticsearch("bbq_hnsw"),
        "4 bits": _elasticsearch("int4_hnsw"),
        "8 bits": _elasticsearch("int8_hnsw"),
    },
    was_run=False,
    most_oversampling=10,
)


def _opensearch(level: str) -> Writer:
    def write(asked: Asked) -> str:
        field = {
            "type": "knn_vector",
            "dimension": asked.dim,
            "space_type": _OPENSEARCH[asked.metric],
            "mode": "on_disk",
            "compression_level": level,
        }
        rescore: object = {"oversample_factor": float(asked.oversampling)} if asked.oversampling > 1 else False
        knn = {"embedding": {"vector": "<your query vector>", "k": asked.k, "rescore": rescore}}
        return _request(
            "PUT items", {"settings": {"index": {"knn": True}}, "mappings": {"properties": {"embedding": field}}}
        ) + _request("POST items/_search", {"size": asked.k, "query": {"knn": knn}})

    return write


OPENSEARCH = Database(
    name="OpenSearch",
    version="3",
    link="https://docs.opensearch.org/latest/mappings/supported-field-types/knn-memory-optimized",
    writers={"bits": _opensearch("32x"), "8 bits": _opensearch("4x"), "float16": _opensearch("2x")},
    was_run=False,
)


def _weaviate(quantizer: str) -> Writer:
    def write(asked: Asked) -> str:
        return f"""\
from weaviate.classes.config import Configure, VectorDistances

client.collections.create(
    "Items",
    vector_config=Configure.Vectors.self_provided(
        vector_index_config=Configure.VectorIndex.hnsw(
            distance_metric=VectorDistances.{_WEAVIATE[asked.metric]},
            ef={max(64, 2 * asked.candidates)},
            quantizer=Configure.VectorIndex.Quantizer.{quantizer.format(rescore=asked.candidates)},
        )
    ),
)
client.collections.get("Items").query.near_vector(near_vector=query, limit={asked.k})
"""

    return write


WEAVIATE = Database(
    name="Weaviate",
    version="1.33",
    link="https://docs.weaviate.io/weaviate/configuration/compression",
    writers={
        "bits": _weaviate("bq(rescore_limit={rescore})"),
        "RaBitQ 1 bit": _weaviate("rq(bits=1, rescore_limit={rescore})"),
        "8 bits": _weaviate("rq(bits=8, rescore_limit={rescore})"),
    },
    was_run=False,
)


def _vespa(asked: Asked) -> str:
    num_bytes = num_code_bytes(asked.dim)
    closeness = "sum(query(q) * attribute(embedding))"
    return f"""\
field bits type tensor<int8>(x[{num_bytes}]) {{
    indexing: attribute | index
    attribute {{ distance-metric: hamming }}
}}
field embedding type tensor<float>(x[{asked.dim}]) {{
    indexing: attribute
    attribute: paged  # stays on disk
}}
rank-profile nearest {{
    inputs {{
        query(q) tensor<float>(x[{asked.dim}])
        query(q_bits) tensor<int8>(x[{num_bytes}])
    }}
    first-phase {{ expression: closeness(field, bits) }}
    second-phase {{
        rerank-count: {asked.candidates}
        expression: {closeness}
    }}
}}
# select * from items where {{targetHits: {asked.candidates}}}nearestNeighbor(bits, q_bits)   hits={asked.k}
"""


VESPA = Database(
    name="Vespa",
    version="8",
    link="https://docs.vespa.ai/en/binarizing-vectors.html",
    writers={"bits": _vespa},
    was_run=False,
)
