"""CSV and TSV as people write them, and what is wrong with those that cannot be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.corpus.base import COMMON_COLUMNS
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write


@pytest.mark.parametrize(
    "content",
    [
        b"\xef\xbb\xbftext,n\nhello,1\n",
        b"text,n\r\nhello,1\r\n",
        b"text,n\nhello,1",
        b"text;n\nhello;1\n",
        b'"text","n"\n"hello","1"\n',
    ],
    ids=["byte order mark", "windows line ends", "no last line end", "semicolons", "quotes"],
)
def test_csv_dialects(tmp_path: Path, content: bytes) -> None:
    table = read(write(tmp_path / "rows.csv", content))
    assert table.schema.names == [*COMMON_COLUMNS, "n"]
    assert table["text"].to_pylist() == ["hello"]
    assert table["n"].to_pylist() == ["1"]


def test_quoted_line_breaks_commas_and_quotes_are_part_of_the_field(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "rows.csv", 'text,n\n"a\nb, ""c""",1\nd,2\n')) == ['a\nb, "c"', "d"]


def test_csv_values_stay_as_they_are_written(tmp_path: Path) -> None:
    table = read(write(tmp_path / "rows.csv", "text,code\nNA,007\nnull,1e5\n"), body_column="code")
    assert table["text"].to_pylist() == ["NA", "null"]
    assert table["body"].to_pylist() == ["007", "1e5"]


def test_fields_larger_than_a_block_are_read_and_no_row_is_lost(tmp_path: Path) -> None:
    huge = "x" * 5_000_000
    rows = ["first"] * 200_000 + [huge, "last"]
    found = texts(write(tmp_path / "rows.csv", "text\n" + "\n".join(rows) + "\n"))
    assert len(found) == len(rows)
    assert found[-2:] == [huge, "last"]


def test_an_unnamed_column_gets_a_name(tmp_path: Path) -> None:
    assert read(write(tmp_path / "rows.csv", ",text\n0,hello\n")).schema.names == [*COMMON_COLUMNS, "unnamed_1"]


@pytest.mark.parametrize(("row", "found"), [("c,2,3", "3"), ("c", "1")])
def test_a_row_of_another_width_is_refused_with_its_line(tmp_path: Path, row: str, found: str) -> None:
    path = write(tmp_path / "rows.csv", f'text,n\n"a\nb",1\n\n{row}\nd,4\n')
    with pytest.raises(CorpusError, match=rf"rows\.csv, line 5: expected 2 fields .*\(text, n\), found {found}"):
        read(path)


def test_a_quote_that_never_closes_does_not_swallow_the_rest(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", 'n,text\n1,"a\nb"\n2,"open\n3,c\n4,d\n')
    with pytest.raises(CorpusError, match=r"line 4: a quote that opens a field is never closed"):
        read(path)


def test_a_closed_quote_with_a_line_break_may_end_the_file(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "rows.csv", 'text\n"a\nb"\n\n')) == ["a\nb"]
