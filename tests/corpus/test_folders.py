"""Folders: shards of one table, clones of data sets of the hub, splits, and text files."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.corpus.readers.base import ReadOptions
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write


def shard(path: Path, *rows: str, **more: list[object]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"text": list(rows), **more})
    if path.suffix == ".parquet":
        pq.write_table(table, path)
    elif path.suffix == ".jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in table.to_pylist()))
    else:
        path.write_text("\n".join(["text,n", *(f"{row},1" for row in rows)]) + "\n")
    return path


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_files_of_one_format_are_one_table_in_the_order_of_their_numbers(tmp_path: Path, kind: str) -> None:
    for number in (10, 2, 1):
        shard(tmp_path / f"part-{number}.{kind}", f"text of {number}")
    (tmp_path / "README.md").write_text("about it")
    corpus = FileCorpus(tmp_path)
    assert texts(tmp_path) == ["text of 1", "text of 2", "text of 10"]
    assert any("3 files were read as one table" in note for note in corpus.notes)


def test_types_that_differ_by_shard_are_brought_together(tmp_path: Path) -> None:
    shard(tmp_path / "a.parquet", "one text", n=[1])
    shard(tmp_path / "b.parquet", "two texts", n=[0.5])
    assert read(tmp_path)["n"].to_pylist() == [1.0, 0.5]


def test_a_clone_of_the_hub_gives_its_data_folder(tmp_path: Path) -> None:
    for number in range(2):
        shard(tmp_path / "data" / f"train-0000{number}-of-00002.parquet", f"text of {number}")
    (tmp_path / "README.md").write_text("---\nconfigs: []\n---\n")
    (tmp_path / "dataset_infos.json").write_text("{}")
    (tmp_path / ".git").mkdir()
    assert texts(tmp_path) == ["text of 0", "text of 1"]


def test_of_several_splits_train_is_read_and_the_others_are_reported(tmp_path: Path) -> None:
    shard(tmp_path / "data" / "train-00000-of-00001.parquet", "a train text")
    shard(tmp_path / "data" / "test-00000-of-00001.parquet", "a test text")
    assert texts(tmp_path) == ["a train text"]
    assert any("split train was read; there are also test" in note for note in FileCorpus(tmp_path).notes)
    assert texts(tmp_path, options=ReadOptions(split="test")) == ["a test text"]
    with pytest.raises(CorpusError, match="no split 'dev': choose one of"):
        read(tmp_path, options=ReadOptions(split="dev"))


def test_splits_may_be_folders(tmp_path: Path) -> None:
    shard(tmp_path / "data" / "train" / "0.parquet", "a train text")
    shard(tmp_path / "data" / "validation" / "0.parquet", "a text to validate")
    assert texts(tmp_path) == ["a train text"]
    assert texts(tmp_path, options=ReadOptions(split="validation")) == ["a text to validate"]


def test_tables_in_several_folders_need_a_choice(tmp_path: Path) -> None:
    shard(tmp_path / "en" / "0.parquet", "an English text")
    assert texts(tmp_path) == ["an English text"]
    shard(tmp_path / "de" / "0.parquet", "ein deutscher Text")
    with pytest.raises(CorpusError, match=r"tables in several folders\. Name one of them: de, en"):
        read(tmp_path)
    assert texts(tmp_path / "de") == ["ein deutscher Text"]


def test_a_saved_data_set_with_splits_tells_of_the_others(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    one, other = Dataset.from_dict({"text": ["a b"]}), Dataset.from_dict({"text": ["c d", "e"]})
    DatasetDict({"train": one, "test": other}).save_to_disk(str(tmp_path / "both"))
    one.save_to_disk(str(tmp_path / "one"))
    assert any("train (1 row)" in note and "test (2 rows)" in note for note in FileCorpus(tmp_path / "both").notes)
    assert texts(tmp_path / "both", options=ReadOptions(split="test")) == ["c d", "e"]
    for folder, split, message in (("both", "dev", "no split 'dev'"), ("one", "train", "has no splits")):
        with pytest.raises(CorpusError, match=message):
            read(tmp_path / folder, options=ReadOptions(split=split))


def test_an_empty_saved_data_set_is_refused(tmp_path: Path) -> None:
    from datasets import Dataset

    Dataset.from_dict({"text": []}).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(CorpusError, match="has no rows"):
        read(tmp_path / "saved")


def test_each_text_file_of_a_folder_is_a_document(tmp_path: Path) -> None:
    write(tmp_path / "note2.md", "# Two\n\nwords\n")
    write(tmp_path / "note10.txt", "größe".encode("cp1252"))
    write(tmp_path / "empty.txt", "")
    write(tmp_path / "doc.pdf", b"%PDF")
    (tmp_path / "sub").mkdir()
    write(tmp_path / "sub" / "deep.txt", "deep words")
    table = read(tmp_path)
    assert dict(zip(table["file"].to_pylist(), table["text"].to_pylist(), strict=True)) == {
        "empty.txt": "", "note2.md": "# Two\n\nwords", "note10.txt": "größe", "sub/deep.txt": "deep words",
    }  # fmt: skip
    assert any("left out (1): doc.pdf" in note for note in FileCorpus(tmp_path).notes)


@pytest.mark.parametrize("kind", ["txt", "csv"])
def test_links_that_lead_out_of_the_folder_are_not_followed(tmp_path: Path, kind: str) -> None:
    content = "text\na secret\n"
    write(tmp_path / f"secret.{kind}", content)
    (tmp_path / "in").mkdir()
    write(tmp_path / "in" / f"a.{kind}", content.replace("secret", "word"))
    (tmp_path / "in" / f"b.{kind}").symlink_to(tmp_path / f"secret.{kind}")
    (tmp_path / "in" / "sub").symlink_to(tmp_path)
    assert not any("secret" in (text or "") for text in texts(tmp_path / "in"))


def test_files_that_are_not_parts_of_one_table_are_refused_with_their_columns(tmp_path: Path) -> None:
    write(tmp_path / "a.csv", "text,n\na b,1\n")
    write(tmp_path / "b.csv", "name\na b\n")
    with pytest.raises(CorpusError, match=r"a\.csv has the columns text, n, b\.csv has name.*Name one"):
        read(tmp_path)
    write(tmp_path / "c.jsonl", '{"text": "a"}\n')
    with pytest.raises(CorpusError, match=r"several formats\. Name one of them: a\.csv, b\.csv, c\.jsonl"):
        read(tmp_path)
