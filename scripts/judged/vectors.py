"""A judged collection as vectors: documents, queries, and people's judgments of what is found."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus.beir import BeirCorpus, load_queries_and_judgments
from retrieval.encoding.encoder import clean_text, load_encoder
from retrieval.errors import CorpusError
from retrieval.evaluation.frontier.judged import Judge, judge_of
from retrieval.evaluation.judged import require_metrics, scored_queries
from retrieval.quantization import Float32s


@dataclass(frozen=True, eq=False)
class JudgedVectors:
    """What a model makes of a collection."""

    documents: Float32s
    """`(n, dim)`, each of length 1."""
    queries: Float32s
    """`(m, dim)`, each of length 1."""
    judge: Judge


def read_collection(path: Path, model: str) -> JudgedVectors:
    """Returns the vectors of the documents with text and of the judged queries of a collection in BEIR's format.

    Raises:
        CorpusError: if it cannot be read, or has no document or no judged query.
        ModelError: if the model cannot be loaded.
        DependencyError: if pytrec_eval is not installed.
    """
    require_metrics()
    task = load_queries_and_judgments(path)
    queries = scored_queries(task, path)
    ids: list[str] = []
    texts: list[str] = []
    for batch in BeirCorpus(path).batches():
        for document_id, text in zip(batch["_id"].to_pylist(), batch["text"].to_pylist(), strict=True):
            if text and (cleaned := clean_text(text)):
                ids.append(document_id)
                texts.append(cleaned)
    if not texts:
        raise CorpusError(f"{path} has no document with text.")
    encoder = load_encoder(model)
    return JudgedVectors(
        encoder.encode(texts),
        encoder.encode_query(list(queries.values())),
        judge_of(task.judgments, list(queries), ids),
    )
