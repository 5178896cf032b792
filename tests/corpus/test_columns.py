"""Which columns of a table are used: as the user says, else as guessed."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.base import COMMON_COLUMNS
from retrieval.corpus.files import FileCorpus
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write


@pytest.mark.parametrize(
    ("header", "text"),
    [("id,Question,note", "Question"), ("intent,title", "title"), ("a,long,b", "long"), ("only", "only")],
)
def test_the_text_column_is_guessed_by_name_else_by_length(tmp_path: Path, header: str, text: str) -> None:
    row = ",".join("a rather long value" if name == "long" else "short" for name in header.split(","))
    corpus = FileCorpus(write(tmp_path / "rows.csv", f"{header}\n{row}\n"))
    assert corpus.columns["text"] == text


def test_columns_named_by_the_user_win_over_guesses(tmp_path: Path) -> None:
    corpus = FileCorpus(
        write(tmp_path / "rows.csv", "title,body,other\na,b,c\n"), text_column="other", url_column="title"
    )
    assert corpus.columns == {"text": "other", "body": "body", "url": "title"}


def test_group_and_quality_are_taken_only_from_columns_called_so(tmp_path: Path) -> None:
    assert FileCorpus(write(tmp_path / "a.csv", "text,question_id,score\na,1,0.5\n")).columns == {"text": "text"}
    row = read(write(tmp_path / "b.csv", "text,group,quality\na,g1,0.5\nb,g1,\n"))
    assert row["group"].to_pylist() == ["g1", "g1"]
    assert row["quality"].to_pylist() == [0.5, None]


def test_a_column_with_a_common_name_but_no_use_is_kept(tmp_path: Path) -> None:
    table = read(
        write(tmp_path / "rows.csv", "title,text,quality\na,b,good\n"), text_column="title", body_column="title"
    )
    assert table.schema.names == [*COMMON_COLUMNS, "title", "source_text", "source_quality"]
    assert table["source_text"].to_pylist() == ["b"]


def test_a_missing_column_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(
        CorpusError, match=r"no column 'titel' for the text: the columns are title, code\. .*--text-column"
    ):
        read(write(tmp_path / "rows.csv", "title,code\na,b\n"), text_column="titel")


def test_numbers_are_not_taken_for_text_unless_asked(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "text,year\n1,1999\n2,2000\n")
    with pytest.raises(
        CorpusError, match=r"no column holds text .* text \(numbers\), year \(numbers\)\. .*--text-column"
    ):
        read(path)
    assert texts(path, text_column="year") == ["1999", "2000"]


def test_a_typed_number_column_is_cast_when_asked(tmp_path: Path) -> None:
    pq.write_table(pa.table({"year": [1999, None], "note": ["a", "b"]}), tmp_path / "rows.parquet")
    assert texts(tmp_path / "rows.parquet", text_column="year") == ["1999", None]
    assert FileCorpus(tmp_path / "rows.parquet").columns == {"text": "note"}


def test_a_list_cannot_be_the_text(tmp_path: Path) -> None:
    pq.write_table(pa.table({"tags": [["a"], ["b"]], "note": ["a", "b"]}), tmp_path / "rows.parquet")
    with pytest.raises(CorpusError, match=r"'tags' of type list.* cannot be the text"):
        read(tmp_path / "rows.parquet", text_column="tags")


def test_a_quality_that_is_not_a_number_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="'grade' cannot be read as quality"):
        read(write(tmp_path / "rows.csv", "text,grade\na,good\n"), quality_column="grade")
