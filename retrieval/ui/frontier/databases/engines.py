"""Vector engines with a Python client: Qdrant, Milvus and LanceDB.

Each text works on `embeddings`, float32 `(n, dim)`, and `queries`, float32 `(m, dim)`. Those in Python store
the row numbers of the nearest in `nearest`, `(m, k)`.
"""

from __future__ import annotations

import json

from retrieval.quantization import num_code_bytes
from retrieval.ui.frontier.databases.base import RESCORED, Asked, Database, Writer

_QDRANT_DISTANCES = {"cosine": "Cosine", "inner product": "Dot", "euclidean": "Euclid"}


def _qdrant(quantization: dict[str, object]) -> Writer:
    def write(asked: Asked) -> str:
        collection = {
            "vectors": {"size": asked.dim, "distance": _QDRANT_DISTANCES[asked.metric], "on_disk": True},
            "quantization_config": quantization,
        }
        rescored = asked.oversampling > 1
        search: dict[str, object] = {"quantization": {"rescore": rescored}}
        if rescored:
            search = {
                "quantization": {"rescore": True, "oversampling": float(asked.oversampling)},
                "hnsw_ef": 2 * asked.candidates,
            }
        query = {"query": "<your query vector>", "limit": asked.k, "params": search}
        return (
            f"PUT /collections/items\n{json.dumps(collection, indent=2)}\n\n"
            f"POST /collections/items/points/query\n{json.dumps(query, indent=2)}"
        )

    return write


def _binary(encoding: str, query_encoding: str = "default") -> dict[str, object]:
    return {"binary": {"encoding": encoding, "query_encoding": query_encoding, "always_ram": True}}


QDRANT = Database(
    name="Qdrant",
    version="1.16",
    link="https://qdrant.tech/documentation/guides/quantization/",
    writers={
        "bits": _qdrant(_binary("one_bit")),
        "float-bits": _qdrant(_binary("one_bit", "scalar8bits")),
        "8 bits": _qdrant({"scalar": {"type": "int8", "always_ram": True}}),
    },
    was_run=True,
)

_MILVUS_METRICS = {"cosine": "COSINE", "inner product": "IP", "euclidean": "L2"}


def _milvus_bits(asked: Asked) -> str:
    num_bits = 8 * num_code_bytes(asked.dim)
    return f"""\
import numpy as np
from pymilvus import DataType, MilvusClient

client = MilvusClient(uri)
schema = client.create_schema(auto_id=False)
schema.add_field("id", DataType.INT64, is_primary=True)
schema.add_field("bits", DataType.BINARY_VECTOR, dim={num_bits})
indexes = client.prepare_index_params()
indexes.add_index("bits", index_type="BIN_FLAT", metric_type="HAMMING")
client.create_collection("items", schema=schema, index_params=indexes, consistency_level="Strong")
packed = np.packbits(embeddings > 0, axis=1)
rows = [{{"id": row, "bits": bits.tobytes()}} for row, bits in enumerate(packed)]
for start in range(0, len(rows), 5000):
    client.insert("items", rows[start : start + 5000])

codes = [bits.tobytes() for bits in np.packbits(queries > 0, axis=1)]
found = client.search("items", data=codes, anns_field="bits", limit={asked.candidates})
candidates = np.array([[hit["id"] for hit in hits] for hits in found])
{RESCORED.format(k=asked.k)}"""


def _milvus_index(index_type: str, more: str = "") -> Writer:
    def write(asked: Asked) -> str:
        refined = f', "refine_k": {float(asked.oversampling)}' if more and asked.oversampling > 1 else ""
        search = f'"nprobe": 64{refined}' if index_type.startswith("IVF") else f'"ef": {max(64, 4 * asked.k)}'
        return f"""\
# Needs Milvus 2.6.
indexes = client.prepare_index_params()
indexes.add_index(
    "embedding", index_type="{index_type}", metric_type="{_MILVUS_METRICS[asked.metric]}", params={{{more}}}
)
client.create_collection("items", schema=schema, index_params=indexes)
# schema: an INT64 key and a FLOAT_VECTOR field "embedding" of {asked.dim} dimensions
client.search("items", data=queries, anns_field="embedding", limit={asked.k}, search_params={{"params": {{{search}}}}})
"""

    return write


MILVUS = Database(
    name="Milvus",
    version="2.3 (sign bits)",
    link="https://milvus.io/docs/binary-vector.md",
    writers={"bits": _milvus_bits},
    was_run=True,
)
MILVUS_RABITQ = Database(
    name="Milvus, RaBitQ",
    version="2.6",
    link="https://milvus.io/docs/ivf-rabitq.md",
    writers={
        "RaBitQ 1 bit": _milvus_index("IVF_RABITQ", '"nlist": 1024, "refine": True, "refine_type": "SQ8"'),
        "8 bits": _milvus_index("IVF_SQ8", '"nlist": 1024'),
    },
    was_run=False,
    rescoring="int8",
)


def _lancedb(asked: Asked) -> str:
    metric = {"cosine": "cosine", "inner product": "dot", "euclidean": "l2"}[asked.metric]
    refined = f".refine_factor({asked.oversampling})" if asked.oversampling > 1 else ""
    return f"""\
import lancedb
import numpy as np
import pyarrow as pa
from lancedb.index import IvfRq

vectors = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.reshape(-1)), {asked.dim})
rows = pa.table({{"id": np.arange(len(embeddings)), "vector": vectors}})
items = lancedb.connect(folder).create_table("items", data=rows)
partitions = max(1, len(embeddings) // 4096)
items.create_index("vector", config=IvfRq(distance_type="{metric}", num_partitions=partitions))


def search(query):
    # Fewer probes are faster and miss more: a quarter of the partitions is a good start.
    asked = items.search(query).distance_type("{metric}").nprobes(max(1, partitions)).limit({asked.k})
    return asked{refined}.select(["id", "_distance"]).to_arrow()["id"].to_numpy()


nearest = np.stack([search(query) for query in queries])
"""


LANCEDB = Database(
    name="LanceDB",
    version="0.40",
    link="https://lancedb.com/docs/indexing/vector-index/",
    writers={"RaBitQ 1 bit": _lancedb},
    was_run=True,
)
