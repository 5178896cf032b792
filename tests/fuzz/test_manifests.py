"""A manifest of a stranger, with a checksum that fits: it is refused, or everything that is made of it works."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from retrieval import BundleError, RetrievalError, Searcher, build_index
from retrieval.bundle.manifest import MANIFEST_FILE, Manifest
from retrieval.bundle.manifest_values import CHECKSUM, sealed
from retrieval.indexing.options import BuildOptions
from tests.conftest import FakeEncoder, RowsCorpus, random_texts
from tests.fuzz.cases import assert_sentence, cases, counted, json_values

QUERY = "red apple"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = [{"text": text} for text in random_texts(60)]
    path = tmp_path_factory.mktemp("manifests") / "index"
    return build_index(RowsCorpus(rows), FakeEncoder(24), path, BuildOptions(lists=2)).path


@pytest.fixture(scope="module")
def altered(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns a copy of which the manifest is written over in each case."""
    return shutil.copytree(folder, tmp_path_factory.mktemp("altered") / "index")


def write(folder: Path, content: bytes) -> None:
    (folder / MANIFEST_FILE).write_bytes(content)


def assert_usable(manifest: Manifest) -> None:
    assert manifest.quantizer.dim == manifest.dim
    assert manifest.defaults.num_candidates >= 1
    assert manifest.warning is None or manifest.warning
    assert manifest.signs is not None
    _ = manifest.tuning, manifest.has_baseline, manifest.has_lists, manifest.has_model
    assert Manifest.from_json(manifest.to_json()) == manifest


@cases(25)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode("utf-8", "replace")))
@counted
def test_anything_instead_of_a_manifest_is_refused(altered: Path, content: bytes) -> None:
    write(altered, content)
    with pytest.raises(BundleError):
        Manifest.read(altered)


@cases(60)
@given(st.data())
@counted
def test_a_value_that_was_changed_on_purpose(folder: Path, altered: Path, data: st.DataObject) -> None:
    values = json.loads((folder / MANIFEST_FILE).read_text())
    for _ in range(data.draw(st.integers(1, 2))):
        _change(values, data)
    write(altered, json.dumps(sealed(values)).encode("ascii", "replace"))
    try:
        manifest = Manifest.read(altered)
        assert_usable(manifest)
        searcher = Searcher.open(altered, encoder=FakeEncoder(24), verify="now")
        response = searcher.search(QUERY)
        searcher.memory()
    except RetrievalError as error:
        assert_sentence(error)
    else:
        assert response.hits


def _change(values: dict[str, Any], data: st.DataObject) -> None:
    """Puts any value in the place of one, at any depth; or takes it away."""
    inner: Any = values
    while True:
        keys = list(range(len(inner))) if isinstance(inner, list) else [key for key in inner if key != CHECKSUM]
        key = data.draw(st.sampled_from(keys))
        if isinstance(inner[key], dict | list) and inner[key] and data.draw(st.booleans()):
            inner = inner[key]
            continue
        if data.draw(st.integers(0, 5)) == 0:
            del inner[key]
        else:
            inner[key] = data.draw(json_values)
        return


@cases(30)
@given(st.data())
@counted
def test_a_manifest_with_altered_bytes_is_refused(folder: Path, altered: Path, data: st.DataObject) -> None:
    content = bytearray((folder / MANIFEST_FILE).read_bytes())
    whole = Manifest.read(folder)
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] ^= data.draw(st.integers(1, 255))
    write(altered, bytes(content))
    try:
        found = Manifest.read(altered)
    except BundleError:
        return
    assert found == whole  # white space, or two changes that cancel
