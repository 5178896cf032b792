"""A folder saved by `datasets` names its files: none of them may be elsewhere."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from datasets import Dataset, DatasetDict

from retrieval import CorpusError
from retrieval.corpus.files import FileCorpus, PlainFileCorpus
from retrieval.corpus.readers.opening import open_plain_file, open_reader

ARROW = "data-00000-of-00001.arrow"


def saved(folder: Path, text: str = "a text") -> Path:
    Dataset.from_dict({"text": [text] * 3}).save_to_disk(folder)
    return folder


def renamed(folder: Path, name: Any) -> Path:
    """Makes the data set in a folder name another file."""
    state = json.loads((folder / "state.json").read_text())
    state["_data_files"] = [{"filename": name}]
    (folder / "state.json").write_text(json.dumps(state))
    return folder


@pytest.mark.parametrize(
    "naming",
    [
        str,
        lambda other: f"../{other.parent.name}/{other.name}",
        lambda other: f"file://{other}",
        lambda other: f"x/../../{other.parent.name}/{other.name}",
    ],
)
def test_a_file_elsewhere_is_not_read(tmp_path: Path, naming: Callable[[Path], str]) -> None:
    other = saved(tmp_path / "other") / ARROW
    folder = renamed(saved(tmp_path / "mine"), naming(other))
    with pytest.raises(CorpusError, match="only files in its own folder"):
        open_reader(folder)


def test_a_link_to_elsewhere_is_not_followed(tmp_path: Path) -> None:
    other, folder = saved(tmp_path / "other"), saved(tmp_path / "mine")
    (folder / ARROW).unlink()
    (folder / ARROW).symlink_to(other / ARROW)
    with pytest.raises(CorpusError, match="only files in its own folder"):
        open_reader(folder)


def test_a_split_elsewhere_is_not_read(tmp_path: Path) -> None:
    saved(tmp_path / "other")
    folder = tmp_path / "mine"
    DatasetDict({"train": Dataset.from_dict({"text": ["mine"]})}).save_to_disk(folder)
    (folder / "dataset_dict.json").write_text(json.dumps({"splits": ["../other"]}))
    with pytest.raises(CorpusError, match="only files in its own folder"):
        open_reader(folder)


def test_a_file_of_a_split_elsewhere_is_not_read(tmp_path: Path) -> None:
    other, folder = saved(tmp_path / "other"), tmp_path / "mine"
    DatasetDict({"train": Dataset.from_dict({"text": ["mine"]})}).save_to_disk(folder)
    renamed(folder / "train", str(other / ARROW))
    with pytest.raises(CorpusError, match="only files in its own folder"):
        open_reader(folder)


@pytest.mark.parametrize("name", [None, 3, {}, ["a"]])
def test_an_invalid_name_is_reported_as_damage(tmp_path: Path, name: Any) -> None:
    with pytest.raises(CorpusError, match="cannot be read"):
        open_reader(renamed(saved(tmp_path / "mine"), name))


def test_whole_data_sets_are_read_through_a_link_to_their_folder(tmp_path: Path) -> None:
    saved(tmp_path / "there")
    (tmp_path / "here").symlink_to(tmp_path / "there")
    DatasetDict({"train": Dataset.from_dict({"text": ["one", "two"]})}).save_to_disk(tmp_path / "split")
    assert open_reader(tmp_path / "here").num_rows == 3
    assert open_reader(tmp_path / "split").num_rows == 2


def test_an_uploaded_file_is_never_opened_as_a_folder(tmp_path: Path) -> None:
    folder = saved(tmp_path / "mine")
    (tmp_path / "notes.csv").write_text("text\nsome words\n")
    (tmp_path / "link.csv").symlink_to(tmp_path / "notes.csv")
    assert FileCorpus(folder).num_rows == 3
    for path in (folder, tmp_path / "link.csv", tmp_path / "missing.csv", "owner/name"):
        with pytest.raises(CorpusError, match=r"plain file|cannot be opened"):
            open_plain_file(path)
        with pytest.raises(CorpusError):
            _ = PlainFileCorpus(path).columns
    assert open_plain_file(tmp_path / "notes.csv").schema.names == ["text"]
