"""The files that a saved data set names: all of them must lie in its own folder."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from retrieval.errors import CorpusError, brief

_STATE = "state.json"
_SPLITS = "dataset_dict.json"


def require_own_files(folder: Path) -> None:
    """Returns when everything that a folder saved by `datasets` names lies in that folder, links followed.

    A folder from elsewhere could else have any file of this machine read as its own.

    Raises:
        CorpusError: if a split or a file is named that lies elsewhere.
        OSError: if a file that names others cannot be read.
        ValueError: if it is no JSON.
        KeyError, TypeError: if it does not say what it has to.
    """
    # As `load_from_disk` decides: a folder with a state of its own is one data set, whatever else lies in it.
    parts = [folder] if (folder / _STATE).is_file() else [_inside(folder, folder, name) for name in _splits(folder)]
    for part in parts:
        for mark in (_STATE, "dataset_info.json"):
            _inside(folder, part, mark)
        for name in _data_files(part):
            _inside(folder, part, name)


def _splits(folder: Path) -> Iterator[str]:
    yield from (_text(name) for name in _read(folder / _SPLITS)["splits"])


def _data_files(part: Path) -> Iterator[str]:
    yield from (_text(each["filename"]) for each in _read(part / _STATE)["_data_files"])


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def _text(name: object) -> str:
    if not isinstance(name, str):
        raise TypeError(f"{brief(name)} is not the name of a file")
    return name


def _inside(folder: Path, part: Path, name: str) -> Path:
    path = part / name
    if "://" in name or not path.resolve().is_relative_to(folder.resolve()):
        raise CorpusError(
            f"{folder} was saved by `datasets`, but names {brief(name)}, which is not in it: a data set may name only "
            f"files in its own folder. Save it again, in one folder."
        )
    return path
