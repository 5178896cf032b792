"""Documents by row, from real Arrow files."""

from __future__ import annotations

import contextlib
import multiprocessing
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from retrieval import BundleCorruptError, BundleMissingError
from retrieval.bundle import documents as documents_module
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import DOCUMENTS_FILE
from retrieval.indexing import ingestion
from tests.conftest import Build, FakeEncoder, build_rows
from tests.support import PATIENCE_S


def store_of(build: Build, rows: list[dict[str, Any]]) -> DocumentStore:
    return DocumentStore.open(build(rows).file(DOCUMENTS_FILE))


def write_arrow(path: Path, columns: dict[str, pa.Array]) -> Path:
    table = pa.table(columns)
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return path


def plain_columns(**changed: pa.Array) -> dict[str, pa.Array]:
    nothing = pa.nulls(2, pa.string())
    columns = {"text": pa.array(["a", "b"]), "body": nothing, "url": nothing, "group": nothing}
    columns |= {"quality": pa.nulls(2, pa.float64()), "_text_id": pa.array([0, 1], pa.int32())}
    return columns | changed


def test_a_document_has_all_that_its_row_had(build: Build) -> None:
    row = {"text": "żółw 🐢", "body": "def f():\n\tpass", "url": "https://example.org/1", "group": "g", "quality": 0.5}
    [document] = store_of(build, [row]).fetch([0])
    assert (document.row, document.text, document.body, document.url) == (0, row["text"], row["body"], row["url"])
    assert (document.group, document.quality) == ("g", 0.5)
    assert document.extra == {"number": 0}


def test_a_missing_value_of_a_row_is_none(build: Build) -> None:
    [document] = store_of(build, [{"text": "a"}]).fetch([0])
    assert (document.body, document.url, document.group, document.quality) == (None, None, None, None)


def test_rows_come_in_the_order_asked_for_across_batches(build: Build) -> None:
    store = store_of(build, [{"text": f"text {number}"} for number in range(2500)])
    rows = [2499, 0, 99, 100, 1024, 1023, 0]
    assert [document.text for document in store.fetch(rows)] == [f"text {row}" for row in rows]
    assert [document.extra["number"] for document in store.fetch(rows)] == rows
    assert store.texts(rows) == [f"text {row}" for row in rows]
    assert len(store) == 2500


@pytest.mark.parametrize("most_open", [0, 1, 3, 512])
def test_rows_come_from_more_batches_than_stay_open(
    tmp_path: Path, most_open: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ingestion, "_ROWS_PER_BATCH", 7)
    monkeypatch.setattr(documents_module, "_MOST_OPEN", most_open)
    store = store_of(
        lambda rows: build_rows(rows, FakeEncoder(), tmp_path / "index"), [{"text": str(n)} for n in range(99)]
    )
    for rows in (np.random.default_rng(0).permutation(99).tolist(), list(range(99))):
        assert [document.text for document in store.fetch(rows)] == [str(row) for row in rows]
    assert [document.text for document in store.read(5, 80)] == [str(row) for row in range(5, 80)]


@pytest.mark.parametrize("row", [-1, 2, 10**12])
def test_a_row_outside_the_corpus_is_an_index_error(build: Build, row: int) -> None:
    with pytest.raises(IndexError, match="rows 0 to 1"):
        store_of(build, [{"text": "a"}, {"text": "b"}]).fetch([row])


def test_text_ids_are_equal_for_equal_texts_in_order_of_appearance(build: Build) -> None:
    store = store_of(build, [{"text": text} for text in ("b", "a", "b", "c", "a")])
    assert store.text_ids().tolist() == [0, 1, 0, 2, 1]


def test_a_missing_quality_is_below_every_other(build: Build) -> None:
    qualities = store_of(build, [{"text": "a", "quality": -5.0}, {"text": "b"}]).qualities()
    assert qualities is not None
    assert qualities.tolist() == [-5.0, float("-inf")]
    assert store_of(lambda rows: build(rows, name="other"), [{"text": "a"}]).qualities() is None


def test_columns_are_the_common_ones_then_the_sources_own(build: Build) -> None:
    store = store_of(build, [{"text": "a"}])
    assert store.column_names == ("text", "body", "url", "group", "quality", "number")
    assert repr(store).startswith("DocumentStore(1 rows")


def test_threads_at_once_read_the_right_rows(build: Build) -> None:
    store = store_of(build, [{"text": f"text {number}", "body": "x" * 500} for number in range(3000)])
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(lambda row: store.fetch([row])[0].text, range(3000))
        assert list(found) == [f"text {row}" for row in range(3000)]


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleMissingError, match=r"documents\.arrow is missing"):
        DocumentStore.open(tmp_path / "documents.arrow")


@pytest.mark.parametrize("content", [b"", b"not arrow", b"ARROW1\0\0", bytes(5000)])
def test_a_file_that_is_not_an_arrow_file_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "documents.arrow"
    path.write_bytes(content)
    with pytest.raises(BundleCorruptError, match="Arrow cannot read"):
        DocumentStore.open(path)


def read_all_rows(path: Path, position: int) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0x80
    altered = path.with_name(f"altered-{position}")
    altered.write_bytes(content)
    with contextlib.suppress(BundleCorruptError):
        store = DocumentStore.open(altered)
        store.fetch(range(len(store)))
    altered.unlink()


def read_with_each_byte_altered(path: Path) -> None:
    for position in range(8, path.stat().st_size - 8, 3):
        read_all_rows(path, position)


def test_no_altered_byte_ends_the_process(tmp_path: Path) -> None:
    """Arrow trusts the offsets in a file: altered ones may lead out of it."""
    path = write_arrow(tmp_path / "documents.arrow", plain_columns(body=pa.array(["x" * 50, "y"])))
    process = multiprocessing.get_context("spawn").Process(target=read_with_each_byte_altered, args=(path,))
    process.start()
    process.join(PATIENCE_S)
    assert process.exitcode == 0


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    columns = plain_columns()
    del columns["_text_id"]
    with pytest.raises(BundleCorruptError, match=r"lacks the columns .*_text_id"):
        DocumentStore.open(write_arrow(tmp_path / "documents.arrow", columns))


@pytest.mark.parametrize("ids", [pa.array(["a", "b"]), pa.array([0.5, 1.5]), pa.array([0, None], pa.int32())])
def test_ids_that_are_not_whole_numbers_are_refused(tmp_path: Path, ids: pa.Array) -> None:
    with pytest.raises(BundleCorruptError, match=r"_text_id .* is not whole numbers"):
        DocumentStore.open(write_arrow(tmp_path / "documents.arrow", plain_columns(_text_id=ids)))
