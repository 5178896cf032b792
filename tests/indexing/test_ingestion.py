"""The first pass of a build: what is kept, dropped, counted and numbered."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from retrieval import CorpusError, Searcher
from retrieval.bundle.documents import DocumentStore
from retrieval.corpus.base import CorpusInfo
from retrieval.indexing.ingestion import Ingested, ingest, read_texts
from tests.conftest import Build, RowsCorpus


def ingested(tmp_path: Path, rows: Sequence[dict[str, Any]], batch_size: int = 2, limit: int | None = None) -> Ingested:
    return ingest(RowsCorpus(rows, batch_size), tmp_path / "documents.arrow", tmp_path / "texts.arrow", limit=limit)


def kept_texts(tmp_path: Path) -> list[str]:
    store = DocumentStore.open(tmp_path / "documents.arrow")
    return store.texts(range(len(store)))


def test_rows_without_a_visible_text_are_dropped_and_counted(tmp_path: Path) -> None:
    texts = ["a", None, "", "  \t\n", "\0", "\0 \0", "\u2003\u00a0", "b\0"]
    found = ingested(tmp_path, [{"text": text} for text in texts])
    assert (found.row_count, found.dropped_rows) == (2, 6)
    assert kept_texts(tmp_path) == ["a", "b\0"]


def test_each_distinct_text_is_written_once_in_order_of_appearance(tmp_path: Path) -> None:
    found = ingested(tmp_path, [{"text": text} for text in ("b", "a", "b", "a", "c")])
    assert [text for batch in read_texts(tmp_path / "texts.arrow") for text in batch] == ["b", "a", "c"]
    assert found.text_ids.tolist() == [0, 1, 0, 1, 2]
    assert found.distinct_text_count == 3


def test_texts_that_differ_in_case_or_blanks_are_distinct(tmp_path: Path) -> None:
    assert ingested(tmp_path, [{"text": text} for text in ("a", "A", "a ", "a\0")]).distinct_text_count == 4


def test_groups_are_numbered_across_batches_and_a_row_without_one_is_alone(tmp_path: Path) -> None:
    groups = ["g", None, "h", "g", None, "", "  "]
    found = ingested(tmp_path, [{"text": str(number), "group": group} for number, group in enumerate(groups)])
    group_ids = DocumentStore.open(tmp_path / "documents.arrow").group_ids()
    assert group_ids is not None
    assert group_ids.tolist() == [0, 1, 2, 0, 3, 4, 5]
    assert found.group_count == 6


def test_a_corpus_without_groups_has_no_group_count(tmp_path: Path) -> None:
    assert ingested(tmp_path, [{"text": "a"}, {"text": "b", "group": ""}]).group_count is None


@pytest.mark.parametrize(("limit", "rows"), [(1, 1), (2, 2), (3, 3), (5, 5), (99, 5), (None, 5)])
def test_a_limit_counts_rows_read(tmp_path: Path, limit: int | None, rows: int) -> None:
    assert ingested(tmp_path, [{"text": str(number)} for number in range(5)], limit=limit).row_count == rows


def test_a_corpus_without_a_usable_row_says_how_many_were_read(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"'rows' has no usable row: 3 rows were read.*Choose another text column"):
        ingested(tmp_path, [{"text": None}, {"text": " "}, {"text": "\0"}])


def test_an_empty_corpus_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="0 rows were read"):
        ingested(tmp_path, [])


def test_the_content_hash_follows_every_column(tmp_path: Path) -> None:
    def sha(**changed: Any) -> str:
        return ingested(tmp_path, [{"text": "a", "body": "b", **changed}, {"text": "c"}]).content_sha256

    assert sha() == sha()
    assert (
        len({sha(), sha(text="x"), sha(body="x"), sha(url="x"), sha(group="x"), sha(quality=0.5), sha(number=7)}) == 7
    )


def test_reports_the_rows_read_so_far(tmp_path: Path) -> None:
    told: list[int] = []
    rows = [{"text": str(number)} for number in range(5)]
    ingest(RowsCorpus(rows, 2), tmp_path / "documents.arrow", tmp_path / "texts.arrow", on_rows=told.append)
    assert told == [2, 4, 5]


class BatchCorpus(RowsCorpus):
    """A corpus of one batch with columns of its own."""

    def __init__(self, text: pa.Array, **columns: pa.Array) -> None:
        self.info = CorpusInfo("batch", "One batch")
        nothing = pa.nulls(len(text), pa.string())
        common = {"text": text, "body": nothing, "url": nothing, "group": nothing}
        self._batch = pa.RecordBatch.from_pydict({**common, "quality": pa.nulls(len(text), pa.float64()), **columns})

    @property
    def num_rows(self) -> int | None:
        return None

    def batches(self) -> Iterator[pa.RecordBatch]:
        yield self._batch


def test_columns_of_the_source_that_have_our_names_are_kept_under_others(build: Build, tmp_path: Path) -> None:
    """Rows exported from an index and indexed again have them."""
    corpus = BatchCorpus(pa.array(["a", "b"]), _text_id=pa.array([7, 8]), _group_id=pa.array(["x", "y"]))
    ingest(corpus, tmp_path / "documents.arrow", tmp_path / "texts.arrow")
    store = DocumentStore.open(tmp_path / "documents.arrow")
    assert store.text_ids().tolist() == [0, 1]
    assert store.fetch([1])[0].extra == {"source_text_id": 8, "source_group_id": "y"}


def test_a_text_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    broken = pa.StringArray.from_buffers(1, pa.py_buffer(b"\0\0\0\0\2\0\0\0"), pa.py_buffer(b"\xff\xfe"))
    with pytest.raises(CorpusError, match=r"'batch' has a text that cannot be read.*UTF-8"):
        ingest(BatchCorpus(broken), tmp_path / "documents.arrow", tmp_path / "texts.arrow")


def test_dropped_rows_do_not_count_as_rows_of_the_index(build: Build, encoder: Any) -> None:
    bundle = build([{"text": None, "body": "lost"}, {"text": "red apple", "body": "kept"}])
    assert (bundle.manifest.row_count, bundle.manifest.dropped_rows) == (1, 1)
    searcher = Searcher.open(bundle.path, encoder=encoder)
    [hit] = searcher.search("apple").hits
    assert (hit.row, hit.document.body) == (0, "kept")
