"""Text in the encodings and with the line ends that are met; what is no text is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write

CONTENT = {
    "a.csv": "id,text\n1,größe und naïve\n",
    "a.tsv": "id\ttext\n1\tgröße und naïve\n",
    "a.txt": "größe und naïve\n",
    "a.jsonl": '{"text": "größe und naïve"}\n',
}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize("name", CONTENT)
def test_utf8_utf16_and_windows_1252_give_the_same_text(tmp_path: Path, name: str, encoding: str) -> None:
    path = write(tmp_path / name, CONTENT[name].encode(encoding))
    assert texts(path) == ["größe und naïve"]
    assert any("read as" in note for note in FileCorpus(path).notes) == (not encoding.startswith("utf-8"))


def test_utf16_of_the_other_byte_order_is_read(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.tsv", b"\xfe\xff" + CONTENT["a.tsv"].encode("utf-16-be"))) == ["größe und naïve"]


def test_windows_1252_is_reported_with_the_line_as_it_is_read(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", "title,text\nTea,“Tea” costs 5 € or so\n".encode("cp1252"))
    assert texts(path) == ["“Tea” costs 5 € or so"]
    [note] = [note for note in FileCorpus(path).notes if "Windows-1252" in note]
    assert "line 2: not UTF-8 (byte 0x93)" in note
    assert "“Tea” costs" in note


def test_a_late_byte_of_windows_1252_is_found(tmp_path: Path) -> None:
    rows = [f"plain text {n}" for n in range(150_000)] + ["café"]
    path = write(tmp_path / "a.txt", "\n".join(rows).encode("cp1252"))
    assert texts(path)[-1] == "café"
    assert any("line 150001" in note for note in FileCorpus(path).notes)


@pytest.mark.parametrize(
    "content",
    [
        "привет мир как дела\n".encode("cp1251"),
        "東京は日本の首都です\n".encode("shift_jis"),
        "καλημέρα κόσμε\n".encode("iso8859-7"),
        "é è à ü ö\n".encode() + b"caf\xe9\n",
    ],
    ids=["cyrillic", "japanese", "greek", "damaged UTF-8"],
)
def test_bytes_that_are_not_windows_1252_are_refused_with_the_line(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(CorpusError, match=r"a\.csv, line \d: not UTF-8 \(byte 0x..\).*CSV UTF-8"):
        read(write(tmp_path / "a.csv", b"text\n" + content))


def test_utf16_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="not UTF-16"):
        read(write(tmp_path / "a.txt", "some text\n".encode("utf-16")[:-1]))


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_in_any_way(tmp_path: Path, end: str) -> None:
    assert texts(write(tmp_path / "a.txt", end.join(["one", "", "two\u2028still two"]))) == [
        "one",
        "",
        "two\u2028still two",
    ]
    assert texts(write(tmp_path / "a.csv", end.join(["text,n", "one,1", "two,2"]))) == ["one", "two"]
    assert texts(write(tmp_path / "a.jsonl", end.join(['{"text": "one"}', '{"text": "two"}']))) == ["one", "two"]


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be"])
def test_utf16_without_its_mark_is_read_and_reported(tmp_path: Path, encoding: str) -> None:
    path = write(tmp_path / "a.csv", "id,text\n1,déjà vu\n2,another text\n".encode(encoding))
    assert texts(path) == ["déjà vu", "another text"]
    assert any("UTF-16" in note for note in FileCorpus(path).notes)


def test_a_single_nul_is_damage_and_not_utf16(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="NUL byte at byte 9"):
        read(write(tmp_path / "a.csv", b"id,text\n1\0,a\n2,b\n"))
