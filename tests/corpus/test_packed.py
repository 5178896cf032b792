"""Files that are packed: unpacked while they are read, up to a limit, and never to a path that they name."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.corpus.readers.base import ReadOptions
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write

CONTENT = {"csv": "id,text\n1,a b\n", "tsv": "id\ttext\n1\ta b\n", "jsonl": '{"text": "a b"}\n', "txt": "a b\n"}


def zipped(path: Path, **members: str | bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("kind", CONTENT)
def test_gzip_and_zip_give_what_is_in_them(tmp_path: Path, kind: str) -> None:
    assert texts(write(tmp_path / f"a.{kind}.gz", gzip.compress(CONTENT[kind].encode()))) == ["a b"]
    assert texts(zipped(tmp_path / "a.zip", **{f"folder/a.{kind}": CONTENT[kind]})) == ["a b"]


def test_other_encodings_are_read_through_gzip(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.csv.gz", gzip.compress("text\ngröße\n".encode("utf-16")))) == ["größe"]


def test_a_parquet_file_in_a_zip_is_read_next_to_what_macos_adds(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a b", "c"]}), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    path = zipped(tmp_path / "a.zip", **{"a.parquet": content, "__MACOSX/._a.parquet": b"x", ".DS_Store": b"x"})
    assert texts(path) == ["a b", "c"]


@pytest.mark.parametrize("names", [(), ("a.csv", "b.csv")])
def test_a_zip_without_exactly_one_file_is_refused(tmp_path: Path, names: tuple[str, ...]) -> None:
    with pytest.raises(CorpusError, match=rf"holds {len(names)} files.*expected one"):
        read(zipped(tmp_path / "a.zip", **dict.fromkeys(names, "text\na\n")))


def test_a_member_that_leads_elsewhere_is_read_from_the_archive_alone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write(tmp_path / "secret.csv", "text\na secret\n")
    path = zipped(tmp_path / "in" / "a.zip", **{"../secret.csv": "text\nharmless\n"})
    assert texts(path) == ["harmless"]
    assert sorted(file.name for file in tmp_path.rglob("*")) == ["a.zip", "in", "secret.csv"]


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
def test_a_file_that_unpacks_to_more_than_the_limit_is_refused(tmp_path: Path, kind: str) -> None:
    content = CONTENT[kind].encode() * 100_000
    options = ReadOptions(max_unpacked_bytes=50_000)
    for path in (
        write(tmp_path / f"a.{kind}.gz", gzip.compress(content)),
        zipped(tmp_path / "a.zip", **{f"a.{kind}": content}),
    ):
        with pytest.raises(CorpusError, match="unpacks to more than"):
            read(path, options=options)


def test_a_parquet_file_in_a_zip_is_bounded_too(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"a.parquet": b"PAR1" + bytes(10_000_000)})
    with pytest.raises(CorpusError, match="unpacks to more than"):
        read(path, options=ReadOptions(max_unpacked_bytes=1_000_000))


def test_a_workbook_that_unpacks_to_more_than_is_allowed_is_refused_unopened(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.xlsx", **{"xl/worksheets/sheet1.xml": bytes(10_000_000)})
    with pytest.raises(CorpusError, match="unpacks to more than"):
        read(path, options=ReadOptions(max_unpacked_bytes=1_000_000))


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.csv.gz", gzip.compress(b"text\n" + b"hello\n" * 1000, mtime=0)[:-20], "damaged or was cut short"),
        ("a.csv.gz", b"text\nhello\n", "damaged or was cut short"),
        ("a.zip", b"PK\x03\x04 and no more", "not a ZIP archive"),
        ("a.exe.gz", gzip.compress(b"x", mtime=0), r"unknown format \(\.exe\)"),
    ],
)
def test_a_damaged_archive_is_refused(tmp_path: Path, name: str, content: bytes, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(write(tmp_path / name, content))


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = zipped(tmp_path / "a.zip", **{"a.csv": "text\na\n"})
    content = bytearray(path.read_bytes())
    content[6] |= 1
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="encrypted"):
        read(path)


def test_the_name_of_the_file_is_the_title(tmp_path: Path) -> None:
    assert FileCorpus(tmp_path / "notes.csv.gz").info.title == "notes.csv.gz"


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "zst": lambda content: pa.compress(content, codec="zstd", asbytes=True),
}


@pytest.mark.parametrize("suffix", PACKERS)
def test_other_ways_to_pack_are_unpacked_and_bounded(tmp_path: Path, suffix: str) -> None:
    path = write(tmp_path / f"a.csv.{suffix}", PACKERS[suffix](b"text\n" + b"hello\n" * 100_000))
    assert texts(path)[:2] == ["hello", "hello"]
    with pytest.raises(CorpusError, match="unpacks to more than"):
        read(path, options=ReadOptions(max_unpacked_bytes=100_000))
    with pytest.raises(CorpusError, match="damaged or was cut short"):
        read(write(tmp_path / f"b.csv.{suffix}", path.read_bytes()[:-9]))


@pytest.mark.parametrize("inner", ["a.csv.gz", "a.zip"])
def test_a_file_packed_twice_is_refused(tmp_path: Path, inner: str) -> None:
    with pytest.raises(CorpusError, match="compressed twice"):
        read(zipped(tmp_path / "a.zip", **{inner: b"PK"}))
