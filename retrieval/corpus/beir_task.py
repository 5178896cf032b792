"""The queries of a collection in BEIR's format, with the relevance judgments that people made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from retrieval.corpus.beir import collection_file, required_text
from retrieval.corpus.readers.json_records import json_objects
from retrieval.corpus.readers.splits import choose_split
from retrieval.corpus.readers.text_file import TextFile
from retrieval.errors import CorpusError

_USUAL_SPLIT = "test"


@dataclass(frozen=True, slots=True)
class BeirTask:
    """The queries of a collection, the judgments, and their oddities."""

    queries: Mapping[str, str]
    """Text by query id, in the order of the file."""
    judgments: Mapping[str, Mapping[str, int]]
    """Relevance by document id, by query id; only queries that exist. 0 is judged and not relevant."""
    num_documents: int
    """Distinct document ids in the corpus."""
    num_duplicate_document_ids: int
    """Rows of the corpus whose id an earlier row has."""
    num_judgments_without_query: int
    """Judgments left out because their query is not in the file."""
    num_judgments_without_document: int
    """Judgments whose document is not in the corpus. They stay in `judgments`: no system can find it, and all of them
    are measured against it."""
    num_repeated_judgments: int
    """Judgments of a pair that was judged before; the last one counts."""
    split: str = _USUAL_SPLIT
    """The judgments are those of `qrels/SPLIT.tsv`."""
    other_splits: tuple[str, ...] = ()
    """Splits of which nothing was read."""

    @property
    def unjudged_queries(self) -> tuple[str, ...]:
        """Returns the ids of the queries without any judgment, which cannot be scored."""
        return tuple(query_id for query_id in self.queries if query_id not in self.judgments)


def load_queries_and_judgments(path: Path, split: str | None = None) -> BeirTask:
    """Returns the queries and judgments of the collection in the folder `path`.

    The split is `test`, unless another is given, or the collection has only one other.

    Raises:
        CorpusError: if a file is missing or a line of it is malformed, two queries have the same id, or it is not
            clear which split is meant.
    """
    queries = _queries(collection_file(path, "queries.jsonl"))
    corpus = collection_file(path, "corpus.jsonl")
    ids = [required_text(corpus, line, record, "_id") for line, record in json_objects(corpus)]
    documents = set(ids)
    judgments: dict[str, dict[str, int]] = {}
    without_query = without_document = repeated = 0
    chosen, others = _choose_split(path, split)
    for query_id, document_id, relevance in _judgments(collection_file(path, f"qrels/{chosen}.tsv")):
        if query_id not in queries:
            without_query += 1
            continue
        judged = judgments.setdefault(query_id, {})
        repeated += document_id in judged
        without_document += document_id not in documents and document_id not in judged
        judged[document_id] = relevance
    return BeirTask(
        split=chosen,
        other_splits=others,
        queries=queries,
        judgments=judgments,
        num_documents=len(documents),
        num_duplicate_document_ids=len(ids) - len(documents),
        num_judgments_without_query=without_query,
        num_judgments_without_document=without_document,
        num_repeated_judgments=repeated,
    )


def _choose_split(folder: Path, wanted: str | None) -> tuple[str, tuple[str, ...]]:
    """Returns the split to read, and the other ones."""
    there = sorted(path.stem for path in (folder / "qrels").glob("*.tsv"))
    if wanted is not None and "/" in wanted:
        raise CorpusError(f"{wanted!r} is not the name of a split: choose one of {', '.join(there)} (--split).")
    if wanted is None and (_USUAL_SPLIT in there or not there):
        chosen = _USUAL_SPLIT
    else:
        chosen, _ = choose_split(dict.fromkeys(there), wanted, folder)
    return chosen, tuple(name for name in there if name != chosen)


def _queries(file: TextFile) -> dict[str, str]:
    queries: dict[str, str] = {}
    for line, record in json_objects(file):
        query_id = required_text(file, line, record, "_id")
        if query_id in queries:
            raise CorpusError(f"{file}, line {line}: the query id {query_id!r} occurs twice. Give each query its own.")
        queries[query_id] = required_text(file, line, record, "text")
    return queries


def _judgments(file: TextFile) -> Iterator[tuple[str, str, int]]:
    for line, content in file.lines():
        fields = content.split("\t")
        if not content.strip():
            continue
        try:
            query_id, document_id, relevance = fields
            yield query_id, document_id, int(relevance)
        except ValueError as error:
            if line == 1 and len(fields) == 3:
                continue  # the header
            raise CorpusError(
                f"{file}, line {line}: expected query-id, corpus-id and a whole number, separated by tabs, found "
                f"{content[:80]!r}."
            ) from error
