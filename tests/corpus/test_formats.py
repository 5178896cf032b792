"""Workbooks, Arrow files, databases and Markdown, and vectors that a table brings."""

from __future__ import annotations

import contextlib
import datetime
import sqlite3
import time
import warnings
import zipfile
from contextlib import closing
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.feather
import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.corpus.readers.base import ReadOptions
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write
from tests.support import PATIENCE_S

TABLE = pa.table({"id": [1, 2], "text": ["a first text", "a second text"]})


def workbook(path: Path, *sheets: list[list[Any]]) -> Path:
    book = openpyxl.Workbook()
    for number, rows in enumerate(sheets):
        sheet = book.active if number == 0 else book.create_sheet()
        assert sheet is not None
        sheet.title = f"Sheet {number}"
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def database(path: Path, *statements: str) -> Path:
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement)
        connection.commit()
    return path


def test_the_first_sheet_of_a_workbook_is_read_and_others_are_reported(tmp_path: Path) -> None:
    day = datetime.datetime(2024, 2, 29, 12, 30)
    rows: list[list[Any]] = [
        ["id", "text", None, "day"],
        [1, "a first text", None, day],
        [],
        [2.5, "a second text", "note", None],
    ]
    corpus = FileCorpus(workbook(tmp_path / "a.xlsx", rows, [["text"], ["another"]]))
    table = pa.Table.from_batches(corpus.batches())
    assert table["text"].to_pylist() == ["a first text", "a second text"]
    assert table["id"].to_pylist() == [1.0, 2.5]
    assert table["unnamed_3"].to_pylist() == [None, "note"]
    assert table["day"].to_pylist() == ["2024-02-29T12:30:00", None]
    assert any("'Sheet 0' was read; there are also Sheet 1" in note for note in corpus.notes)


def test_another_sheet_and_one_without_header_can_be_read(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["text"], ["one text"]], [["id", "text"], [1, "another text"]])
    assert texts(path, options=ReadOptions(table="Sheet 1")) == ["another text"]
    assert texts(path, options=ReadOptions(has_header=False)) == ["text", "one text"]
    with pytest.raises(CorpusError, match="no sheet 'x': choose one of Sheet 0, Sheet 1"):
        read(path, options=ReadOptions(table="x"))


def test_a_sheet_without_values_is_passed_over_and_a_header_that_looks_like_data_is_reported(tmp_path: Path) -> None:
    rows: list[list[Any]] = [[number, "A text of five plain words"] for number in range(5)]
    path = workbook(tmp_path / "a.xlsx", [], rows)
    assert len(texts(path)) == 4
    notes = FileCorpus(path).notes
    assert any("'Sheet 1' was read" in note for note in notes)
    assert any("'0' is above numbers" in note and "--no-header" in note for note in notes)


def test_a_sheet_that_claims_to_be_huge_is_as_large_as_what_it_holds(tmp_path: Path) -> None:
    path = workbook(tmp_path / "a.xlsx", [["id", "text"], [1, "a first text"], [2, "a second text"]])
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    name = "xl/worksheets/sheet1.xml"
    assert b'ref="A1:B3"' in content[name]
    content[name] = content[name].replace(b'ref="A1:B3"', b'ref="A1:XFD1048576"')
    with zipfile.ZipFile(path, "w") as archive:
        for each, data in content.items():
            archive.writestr(each, data)
    started = time.monotonic()
    assert texts(path) == ["a first text", "a second text"]
    assert time.monotonic() - started < PATIENCE_S


@pytest.mark.parametrize("kind", ["file", "stream", "feather 1", "feather 2"])
@pytest.mark.filterwarnings("ignore:Feather V1")
def test_arrow_files_and_streams_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.arrow"
    if kind.startswith("feather"):
        path = tmp_path / "a.feather"
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            pyarrow.feather.write_feather(TABLE, str(path), version=int(kind[-1]))
    else:
        new = pa.ipc.new_file if kind == "file" else pa.ipc.new_stream
        with pa.OSFile(str(path), "wb") as sink, new(sink, TABLE.schema) as writer:
            writer.write_table(TABLE)
    assert texts(path) == TABLE["text"].to_pylist()


def test_no_altered_byte_of_an_arrow_file_ends_the_process(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, TABLE.schema) as writer:
        writer.write_table(TABLE)
    content = path.read_bytes()
    for position in range(0, len(content), 3):
        altered = bytearray(content)
        altered[position] ^= 0x80
        with contextlib.suppress(CorpusError):
            read(write(path, bytes(altered)))


def test_the_only_table_of_a_database_is_read(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.db",
        "create table notes (id integer, body text, picture blob)",
        "insert into notes values (1, 'a first text', x'00'), (2, null, null), ('x', 'a third text', null)",
        "create view texts as select body as text from notes",
        "create virtual table found using fts5(body)",
    )
    assert texts(path) == ["a first text", None, "a third text"]
    assert read(path)["id"].to_pylist() == ["1", "2", "x"]
    assert texts(path, options=ReadOptions(table="texts")) == ["a first text", None, "a third text"]


def test_the_largest_table_of_a_database_is_read_and_reported_unless_one_is_named(tmp_path: Path) -> None:
    path = database(
        tmp_path / "a.sqlite",
        "create table one (text)",
        "insert into one values ('alone')",
        'create table "t""wo" (text)',
        """insert into "t""wo" values ('some text'), ('more')""",
    )
    assert texts(path) == ["some text", "more"]
    assert any("""'t"wo' was read""" in note and "one (--table)" in note for note in FileCorpus(path).notes)
    assert texts(path, options=ReadOptions(table="one")) == ["alone"]
    with pytest.raises(CorpusError, match="no table 'x; drop'"):
        read(path, options=ReadOptions(table="x; drop"))


def test_a_database_is_never_written(tmp_path: Path) -> None:
    filled = ("create table t (text)", "insert into t values ('a b')")
    path = database(tmp_path / "a.db", "pragma journal_mode=wal", *filled)
    before = path.read_bytes()
    assert texts(path) == ["a b"]
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["a.db"]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.db", b"SQLite format 3\0 and no more" * 50, "cannot be read"),
        ("a.db", b"text\n", "expected an SQLite database"),
        ("a.arrow", b"text\n", "expected Arrow or Feather"),
        ("a.arrow", b"ARROW1\0\0 and no more", "damaged Arrow"),
        ("a.feather", b"FEA1 and no more", "damaged Arrow"),
        ("a.xlsx", b"PK\x03\x04 and no more", "cannot be opened"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(write(tmp_path / name, content))


def test_each_paragraph_of_markdown_is_a_document_with_its_heading(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.md",
        "# Title\n\nOver\ntwo lines.\n\n```python\ndef f():\n\n    return 1\n```\n\nBelow\n-----\n\n- item\n- item\n",
    )
    table = read(path)
    code = "```python\ndef f():\n\n    return 1\n```"
    assert table["text"].to_pylist() == ["Over\ntwo lines.", code, "- item\n- item"]
    assert table["heading"].to_pylist() == ["Title", "Title", "Below"]
    assert table["line"].to_pylist() == [3, 6, 15]
