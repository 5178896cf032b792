"""What enters an index comes out of it: broken UTF-8, dates beyond Python's, an index's own rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval import BuildOptions, CorpusError, build_index
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.manifest import DOCUMENTS_FILE
from retrieval.corpus.files import FileCorpus
from retrieval.results import Document
from tests.conftest import FakeEncoder

TEXTS = ["a red apple", "a green pear", "a blue plum"]
DAY_BEFORE = -735_700
"""Of the year -45, in days from 1970."""


def built(path: Path, output: Path) -> Bundle:
    return build_index(FileCorpus(path), FakeEncoder(), output, BuildOptions())


def documents(bundle: Bundle) -> tuple[Document, ...]:
    store = DocumentStore.open(bundle.file(DOCUMENTS_FILE))
    return store.fetch(range(len(store)))


def not_utf8(values: list[bytes]) -> pa.Array:
    return pa.array(values, pa.binary()).view(pa.string())


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        (pa.array([0, DAY_BEFORE, 1], pa.date32()), "-0045-09-22"),
        (pa.array([0, 2**62, 1], pa.timestamp("us", tz="UTC")), None),
        (pa.array([0, -(2**62), 1], pa.timestamp("ms")), None),
        (pa.array([[0], [1, DAY_BEFORE], []], pa.list_(pa.date32())), None),
        (pa.array([{"d": 0}, {"d": DAY_BEFORE}, None], pa.struct([("d", pa.date32())])), {"d": "-0045-09-22"}),
    ],
)
def test_dates_outside_pythons_range_are_returned_as_text(tmp_path: Path, column: pa.Array, shown: Any) -> None:
    pq.write_table(pa.table({"text": TEXTS, "day": column}), tmp_path / "rows.parquet")
    found = documents(built(tmp_path / "rows.parquet", tmp_path / "index"))
    assert [document.text for document in found] == TEXTS
    if shown is not None:
        assert found[1].extra["day"] == shown
    assert found[0].extra["day"] == column[0].as_py()


@pytest.mark.parametrize(
    "column",
    [
        pa.array([0, 2**62, None], pa.duration("s")),
        pa.array([0, 2**62, None], pa.timestamp("us", tz="Nowhere/Town")),
        pa.array([0, 1, None], pa.timestamp("ns", tz="Nowhere/Town")),
        pa.array([1, 86_399_999_999_999, None], pa.time64("ns")),
        pa.array([2**64 - 1, 0, None], pa.uint64()),
        pa.array([b"\xff\x00", b"", None], pa.binary()),
        pa.array([b"\xff\x00", b"12", None], pa.binary(2)),
        pa.array([(1, 2, 3), (0, 0, 0), None], pa.month_day_nano_interval()),
        pa.array([[("k", 2**62)], [], None], pa.map_(pa.string(), pa.duration("s"))),
        pa.array([[b"\xff"], None, []], pa.list_(pa.binary())),
    ],
    ids=lambda column: str(column.type),
)
def test_values_of_any_type_come_out_of_an_index(tmp_path: Path, column: pa.Array) -> None:
    path = tmp_path / "rows.arrow"
    table = pa.table({"text": TEXTS, "more": column})
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    found = documents(built(path, tmp_path / "index"))
    assert [document.text for document in found] == TEXTS
    assert all("more" in document.extra for document in found)
    json.dumps([dict(document.extra) for document in found], default=str)


def test_text_that_is_not_utf8_inside_a_list_is_refused_with_column_and_row(tmp_path: Path) -> None:
    values = pa.ListArray.from_arrays([0, 1, 2, 3], not_utf8([b"a", b"b\xff", b"c"]))
    pq.write_table(pa.table({"text": TEXTS, "tags": values}), tmp_path / "rows.parquet")
    with pytest.raises(CorpusError, match=r"column 'tags', row 2: .*UTF8"):
        built(tmp_path / "rows.parquet", tmp_path / "index")


def test_a_date_outside_pythons_range_is_reported_with_column_and_row(tmp_path: Path) -> None:
    days = pa.array([0, DAY_BEFORE, 1], pa.date32())
    pq.write_table(pa.table({"text": TEXTS, "day": days}), tmp_path / "rows.parquet")
    assert any("'day', row 2" in note for note in built(tmp_path / "rows.parquet", tmp_path / "index").manifest.notes)


@pytest.mark.parametrize("name", ["text", "note"])
def test_text_that_is_not_utf8_is_mended_and_reported(tmp_path: Path, name: str) -> None:
    broken = not_utf8([b"a caf\xc3\xa9", b"a b\xff c", b"a d"])
    pq.write_table(pa.table({"text": TEXTS, name: broken} | {name: broken}), tmp_path / "rows.parquet")
    bundle = built(tmp_path / "rows.parquet", tmp_path / "index")
    values = [document.text if name == "text" else document.extra["note"] for document in documents(bundle)]
    assert values == ["a café", "a b\ufffd c", "a d"]
    assert any(f"'{name}', row 2: text that is not UTF-8" in note for note in bundle.manifest.notes)


def test_an_index_can_be_built_from_the_documents_of_another_again_and_again(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": TEXTS, "_text_id": [7, 8, 9]}), tmp_path / "rows.parquet")
    path = tmp_path / "rows.parquet"
    for number in range(3):
        bundle = built(path, tmp_path / f"index{number}")
        path = bundle.file(DOCUMENTS_FILE)
    assert [document.text for document in documents(bundle)] == TEXTS
    assert 7 in documents(bundle)[0].extra.values()


def test_the_manifest_keeps_columns_and_what_was_told_without_paths(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("title;group\na red apple;A\na pear;B\n")
    manifest = built(tmp_path / "rows.csv", tmp_path / "index").manifest
    assert manifest.columns == {"text": "title", "group": "group"}
    assert any("'group' is the group, because of its name" in note for note in manifest.notes)
    assert any("semicolons" in note for note in manifest.notes)
    assert str(tmp_path) not in manifest.to_json()
