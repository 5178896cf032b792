"""Libraries that run in your own process: faiss, usearch and sentence-transformers.

Each text works on `embeddings`, float32 `(n, dim)`, and `queries`, float32 `(m, dim)`, and stores the row numbers of
the nearest in `nearest`, `(m, k)`.
"""

from __future__ import annotations

from retrieval.evaluation.frontier.schemes import SCHEMES
from retrieval.quantization import num_code_bytes
from retrieval.ui.frontier.databases.base import RESCORED, Asked, Database, Writer

_METRICS = {"cosine": "INNER_PRODUCT", "inner product": "INNER_PRODUCT", "euclidean": "L2"}


def _faiss(key: str) -> Writer:
    scheme = next(scheme for scheme in SCHEMES if scheme.key == key)

    def write(asked: Asked) -> str:
        factory = scheme.factory_string(asked.dim)
        metric = f"faiss.METRIC_{_METRICS[asked.metric]}"
        is_rescored = asked.oversampling > 1
        trained = "faiss.downcast_index(index.base_index)" if is_rescored else "index"
        lines = [
            "import faiss\n",
            f'index = faiss.index_factory({asked.dim}, "{factory}{",RFlat" * is_rescored}", {metric})',
            *([f"{trained}.do_polysemous_training = False  # slow, and not needed here"] if key == "PQ" else []),
            "index.train(embeddings)",
            "index.add(embeddings)",
            *(
                [f"index.k_factor = {asked.oversampling}  # the best {asked.candidates} are rescored with float32"]
                if is_rescored
                else []
            ),
            f"_, nearest = index.search(queries, {asked.k})\n",
        ]
        return "\n".join(lines)

    return write


def _faiss_bits(asked: Asked) -> str:
    return f"""\
import faiss
import numpy as np

index = faiss.IndexBinaryFlat({8 * num_code_bytes(asked.dim)})
index.add(np.packbits(embeddings > 0, axis=1))
_, candidates = index.search(np.packbits(queries > 0, axis=1), {asked.candidates})
{RESCORED.format(k=asked.k)}"""


_FAISS_KEYS = tuple(scheme.key for scheme in SCHEMES if scheme.factory_string(8) is not None)

FAISS = Database(
    name="faiss",
    version="1.15",
    link="https://github.com/facebookresearch/faiss/wiki/The-index-factory",
    writers={**{key: _faiss(key) for key in _FAISS_KEYS}, "bits": _faiss_bits},
    was_run=True,
)


def _usearch(dtype: str) -> Writer:
    def write(asked: Asked) -> str:
        metric = {"cosine": "cos", "inner product": "ip", "euclidean": "l2sq"}[asked.metric]
        return f"""\
import numpy as np
from usearch.index import Index

index = Index(ndim={asked.dim}, metric="{metric}", dtype="{dtype}", expansion_search={max(64, 4 * asked.k)})
index.add(np.arange(len(embeddings)), embeddings)
nearest = index.search(queries, {asked.k}).keys
"""

    return write


def _usearch_bits(asked: Asked) -> str:
    return f"""\
import numpy as np
from usearch.index import Index

index = Index(
    ndim={8 * num_code_bytes(asked.dim)}, metric="hamming", dtype="b1", expansion_search={2 * asked.candidates}
)
index.add(np.arange(len(embeddings)), np.packbits(embeddings > 0, axis=1))
candidates = index.search(np.packbits(queries > 0, axis=1), {asked.candidates}).keys.astype(np.int64)
{RESCORED.format(k=asked.k)}"""


USEARCH = Database(
    name="usearch",
    version="2.26",
    link="https://unum-cloud.github.io/USearch/python/index.html",
    writers={
        "float32": _usearch("f32"),
        "float16": _usearch("f16"),
        "bfloat16": _usearch("bf16"),
        "bits": _usearch_bits,
    },
    was_run=True,
    alone=frozenset({"float32", "float16", "bfloat16"}),
)


def _sentence_transformers(asked: Asked) -> str:
    return f"""\
from sentence_transformers.util.quantization import quantize_embeddings, semantic_search_faiss

found, _ = semantic_search_faiss(
    queries,
    corpus_embeddings=quantize_embeddings(embeddings, precision="ubinary"),
    corpus_precision="ubinary",
    top_k={asked.candidates},
    rescore=False,  # its own rescoring compares the float query with the bits; float32 below keeps more
)
candidates = np.array([[hit["corpus_id"] for hit in hits] for hits in found])
{RESCORED.format(k=asked.k)}"""


SENTENCE_TRANSFORMERS = Database(
    name="sentence-transformers",
    version="6.2",
    link="https://sbert.net/examples/sentence_transformer/applications/embedding-quantization/README.html",
    writers={"bits": lambda asked: "import numpy as np\n" + _sentence_transformers(asked)},
    was_run=True,
)
