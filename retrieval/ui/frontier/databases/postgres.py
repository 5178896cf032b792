"""pgvector: sign bits with re-ranking, and half-precision vectors."""

from __future__ import annotations

from retrieval.ui.frontier.databases.base import Asked, Database

_OPERATORS = {"cosine": ("<=>", "cosine"), "inner product": ("<#>", "ip"), "euclidean": ("<->", "l2")}
_MOST_EF_SEARCH = 1000
_TABLE = """\
CREATE EXTENSION IF NOT EXISTS vector;
CREATE TABLE items (id bigint PRIMARY KEY, embedding vector({dim}));
-- Load your rows before the index is made: it is faster, and the graph is better.
"""


def _ef_search(asked: Asked) -> int:
    return min(_MOST_EF_SEARCH, max(40, 2 * asked.candidates))


def _bits(asked: Asked) -> str:
    operator, _ = _OPERATORS[asked.metric]
    dim = asked.dim
    return f"""{_TABLE.format(dim=dim)}
CREATE INDEX ON items USING hnsw ((binary_quantize(embedding)::bit({dim})) bit_hamming_ops);
SET hnsw.ef_search = {_ef_search(asked)};
PREPARE nearest (vector({dim})) AS
SELECT id FROM (
    SELECT id, embedding FROM items
    ORDER BY binary_quantize(embedding)::bit({dim}) <~> binary_quantize($1)::bit({dim})
    LIMIT {asked.candidates}
) AS candidates
ORDER BY embedding {operator} $1
LIMIT {asked.k};
"""


def _half(asked: Asked) -> str:
    operator, name = _OPERATORS[asked.metric]
    dim = asked.dim
    return f"""{_TABLE.format(dim=dim)}
CREATE INDEX ON items USING hnsw ((embedding::halfvec({dim})) halfvec_{name}_ops);
SET hnsw.ef_search = {_ef_search(asked)};
PREPARE nearest (vector({dim})) AS
SELECT id FROM items
ORDER BY embedding::halfvec({dim}) {operator} $1::halfvec({dim})
LIMIT {asked.k};
"""


def _float(asked: Asked) -> str:
    operator, name = _OPERATORS[asked.metric]
    return f"""{_TABLE.format(dim=asked.dim)}
CREATE INDEX ON items USING hnsw (embedding vector_{name}_ops);
SET hnsw.ef_search = {_ef_search(asked)};
PREPARE nearest (vector({asked.dim})) AS
SELECT id FROM items ORDER BY embedding {operator} $1 LIMIT {asked.k};
"""


PGVECTOR = Database(
    name="pgvector",
    version="0.8",
    link="https://github.com/pgvector/pgvector#binary-quantization",
    writers={"bits": _bits, "float16": _half, "float32": _float},
    was_run=True,
    most_oversampling=_MOST_EF_SEARCH // 10,
    alone=frozenset({"float16", "float32"}),
)
