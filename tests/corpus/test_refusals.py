"""Files and folders that are missing, empty, damaged, or not what their name says."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.errors import CorpusError
from tests.file_corpora import read, write

PNG = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR\x00\x00"


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.txt", PNG, "expected plain text.* found a PNG image"),
        ("a.csv", PNG, "expected CSV.* found a PNG image"),
        ("a.csv", b"text\nhel\0lo\n", "found binary data"),
        ("a.jsonl", b"PAR1\0\0\0\0PAR1", "expected JSON.* found a Parquet file"),
        ("a.csv", b"\x1f\x8b\x08\0", "found a gzip archive"),
        ("a.parquet", b"text\nhello\n", "expected a Parquet file, found plain text"),
        ("a.parquet", PNG, "expected a Parquet file, found a PNG image"),
        ("a.parquet", b"PAR1 and no end", "cut short"),
        ("a.xlsx", b"PK\x03\x04", "cannot be opened"),
        ("a.xlsx", b"text\nhello\n", "expected a workbook"),
        ("a.ods", b"PK\x03\x04", r"unknown format \(\.ods\): expected one of \.csv.* save it as \.xlsx"),
        ("a.parquet", b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        ("a.csv", b"", "is empty"),
        ("a.parquet", b"", "is empty"),
        ("a.txt", b"\n \n", "is empty"),
        ("a.csv", b"text,n\n", "has no rows"),
        ("a.csv", b"text,text\na,b\n", "several columns called 'text'"),
        ("a.jsonl", b"{}\n{}\n", "has no columns"),
    ],
)
def test_a_file_that_cannot_be_a_corpus_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(write(tmp_path / name, content))


def test_a_parquet_file_without_rows_or_columns_is_refused(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), tmp_path / "rows.parquet")
    pq.write_table(pa.table({}), tmp_path / "columns.parquet")
    with pytest.raises(CorpusError, match="has no rows"):
        read(tmp_path / "rows.parquet")
    with pytest.raises(CorpusError, match="has no columns"):
        read(tmp_path / "columns.parquet")


def test_a_missing_file_is_refused_with_the_working_directory(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"there is no file or folder .*gone\.csv\. .*--path"):
        read(tmp_path / "gone.csv")
    with pytest.raises(CorpusError, match=r"there is no file or folder data/gone\.csv"):
        read(Path("data/gone.csv"))


@pytest.mark.parametrize(
    ("content", "hint"),
    [
        ("corpus.jsonl", "--corpus beir"),
        ("manifest.json", "--index"),
        ("a.bin", r"nothing to read in it \(found a\.bin\)"),
    ],
)
def test_a_folder_that_is_not_a_data_set_is_refused_with_a_hint(tmp_path: Path, content: str, hint: str) -> None:
    (tmp_path / content).write_text("x")
    with pytest.raises(CorpusError, match=hint):
        read(tmp_path)
