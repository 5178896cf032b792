"""JSON files are replaced whole, or not at all."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from retrieval.bundle.files import write_json


def test_a_written_file_replaces_the_old_one_and_leaves_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    write_json(path, {"done": 1})
    write_json(path, {"done": 2})
    assert json.loads(path.read_text()) == {"done": 2}
    assert list(tmp_path.iterdir()) == [path]


def test_a_value_that_is_not_json_leaves_the_old_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "progress.json"
    write_json(path, {"done": 1})
    with pytest.raises(TypeError):
        write_json(path, {"done": {1, 2}})
    assert json.loads(path.read_text()) == {"done": 1}
    assert list(tmp_path.iterdir()) == [path]
