"""Collections in BEIR's format: the documents as a corpus, and the queries with their judgments."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from retrieval.corpus.base import COMMON_COLUMNS
from retrieval.corpus.beir import BeirCorpus
from retrieval.corpus.beir_task import load_queries_and_judgments
from retrieval.errors import CorpusError
from tests.conftest import shared_path

DOCUMENTS: list[dict[str, Any]] = [
    {"_id": "d1", "title": "Sorting", "text": "sort a list"},
    {"_id": "d2", "title": "", "text": "read a file", "metadata": {"url": "https://example.org/d2"}},
    {"_id": 3, "text": "merge two dicts"},
]
QUERIES: list[dict[str, Any]] = [{"_id": "q1", "text": "how to sort"}, {"_id": "q2", "text": "how to read"}]
QRELS = "query-id\tcorpus-id\tscore\nq1\td1\t2\nq1\td2\t0\nq2\td2\t1\n"


def lines(rows: Iterable[dict[str, Any]]) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


def collection(
    folder: Path, *, documents: str = lines(DOCUMENTS), queries: str = lines(QUERIES), qrels: str = QRELS
) -> Path:
    (folder / "qrels").mkdir()
    (folder / "corpus.jsonl").write_text(documents)
    (folder / "queries.jsonl").write_text(queries)
    (folder / "qrels" / "test.tsv").write_text(qrels)
    return folder


def read(path: Path) -> pa.Table:
    return pa.Table.from_batches(BeirCorpus(path).batches())


def test_title_and_text_are_embedded_as_one_and_the_text_is_shown(tmp_path: Path) -> None:
    table = read(collection(tmp_path))
    assert table.schema.names == [*COMMON_COLUMNS, "_id", "title"]
    assert table["text"].to_pylist() == ["Sorting sort a list", "read a file", "merge two dicts"]
    assert table["body"].to_pylist() == ["sort a list", "read a file", "merge two dicts"]


def test_ids_are_text_and_a_url_comes_from_the_metadata(tmp_path: Path) -> None:
    table = read(collection(tmp_path))
    assert table["_id"].to_pylist() == ["d1", "d2", "3"]
    assert table["url"].to_pylist() == [None, "https://example.org/d2", None]
    assert table["title"].to_pylist() == ["Sorting", "", None]


def test_the_first_queries_are_the_examples(tmp_path: Path) -> None:
    info = BeirCorpus(collection(tmp_path)).info
    assert info.examples == ("how to sort", "how to read")
    assert tmp_path.name in info.title


def test_a_corpus_without_queries_can_still_be_read(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl").write_text(lines(DOCUMENTS))
    assert read(tmp_path).num_rows == 3
    assert BeirCorpus(tmp_path).info.examples == ()


def test_queries_and_judgments_are_kept_as_they_are_judged(tmp_path: Path) -> None:
    task = load_queries_and_judgments(collection(tmp_path))
    assert task.queries == {"q1": "how to sort", "q2": "how to read"}
    assert task.judgments == {"q1": {"d1": 2, "d2": 0}, "q2": {"d2": 1}}
    assert (task.num_documents, task.unjudged_queries) == (3, ())
    assert (task.num_judgments_without_query, task.num_judgments_without_document) == (0, 0)


def test_a_header_in_the_judgments_may_be_left_out(tmp_path: Path) -> None:
    task = load_queries_and_judgments(collection(tmp_path, qrels="q1\td1\t1\r\n\r\n"))
    assert task.judgments == {"q1": {"d1": 1}}
    assert task.unjudged_queries == ("q2",)


def test_dangling_judgments_are_counted_by_what_is_missing(tmp_path: Path) -> None:
    task = load_queries_and_judgments(collection(tmp_path, qrels=QRELS + "q9\td1\t1\nq1\td9\t1\nq1\td9\t2\n"))
    assert task.num_judgments_without_query == 1
    assert task.num_judgments_without_document == 1
    assert "q9" not in task.judgments
    assert task.judgments["q1"]["d9"] == 2


def test_repeated_documents_and_judgments_are_counted(tmp_path: Path) -> None:
    folder = collection(tmp_path, documents=lines([*DOCUMENTS, DOCUMENTS[0]]), qrels=QRELS + "q1\td1\t1\n")
    task = load_queries_and_judgments(folder)
    assert task.num_duplicate_document_ids == 1
    assert task.num_repeated_judgments == 1
    assert task.judgments["q1"]["d1"] == 1


def test_two_queries_with_one_id_are_refused(tmp_path: Path) -> None:
    folder = collection(tmp_path, queries=lines([*QUERIES, QUERIES[0]]))
    with pytest.raises(CorpusError, match=r"queries\.jsonl, line 3: the query id 'q1' occurs twice"):
        load_queries_and_judgments(folder)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_named(tmp_path: Path, name: str) -> None:
    (collection(tmp_path) / name).unlink()
    with pytest.raises(CorpusError, match=rf"{name} is missing: expected a BEIR collection, found "):
        load_queries_and_judgments(tmp_path)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"there is no folder .*gone: expected a BEIR collection"):
        read(tmp_path / "gone")


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"_id": "d4", "body": "x"}, "expected 'text' with text, found the names _id, body"),
        ({"text": "x"}, "expected '_id' with text, found the names text"),
        ({"_id": "d4", "text": 5}, "expected 'text' with text, found 5"),
    ],
)
def test_a_document_without_its_names_is_refused_with_its_line(
    tmp_path: Path, document: dict[str, Any], message: str
) -> None:
    folder = collection(tmp_path, documents=lines([*DOCUMENTS, document]))
    with pytest.raises(CorpusError, match=rf"corpus\.jsonl, line 4: {message}"):
        read(folder)


@pytest.mark.parametrize("line", ["q1\td1", "q1\td1\tgood", "q1 d1 1", "q1\t0\td1\t1"])
def test_a_malformed_judgment_is_refused_with_its_line(tmp_path: Path, line: str) -> None:
    folder = collection(tmp_path, qrels=QRELS + line + "\n")
    with pytest.raises(CorpusError, match=r"test\.tsv, line 5: expected query-id, corpus-id and a whole number"):
        load_queries_and_judgments(folder)


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "documents", "queries"),
    [("conala_train", 3_339, 2_300), ("cosqa_dev", 6_267, 500), ("cran", 1_400, 225), ("med", 1_033, 30)],
)
def test_the_real_collections_are_complete(name: str, documents: int, queries: int) -> None:
    path = shared_path(f"beir/{name}")
    task = load_queries_and_judgments(path)
    assert read(path).num_rows == task.num_documents == documents
    assert len(task.queries) == queries
    assert (task.num_judgments_without_query, task.num_judgments_without_document) == (0, 0)
    assert (task.num_repeated_judgments, task.unjudged_queries) == (0, ())


def test_the_only_split_is_read_and_others_are_reported(tmp_path: Path) -> None:
    folder = collection(tmp_path)
    (folder / "qrels" / "dev.tsv").write_text("q2\td2\t1\n")
    task = load_queries_and_judgments(folder)
    assert (task.split, task.other_splits) == ("test", ("dev",))
    assert load_queries_and_judgments(folder, "dev").judgments == {"q2": {"d2": 1}}
    (folder / "qrels" / "test.tsv").unlink()
    assert load_queries_and_judgments(folder).split == "dev"
    (folder / "qrels" / "train.tsv").write_text("q1\td1\t1\n")
    assert load_queries_and_judgments(folder).split == "train"


@pytest.mark.parametrize("split", ["gone", "../queries", "../../elsewhere"])
def test_a_split_that_is_not_there_is_refused_with_those_there_are(tmp_path: Path, split: str) -> None:
    with pytest.raises(CorpusError, match=r"split.*choose one of test .--split"):
        load_queries_and_judgments(collection(tmp_path), split)
