"""Files of weights that are not what their names say: refused in a line, before anything is loaded from them."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any

import pytest

from retrieval import ModelError
from retrieval.encoding.model_files import locate_model
from tests.encoding.weights import write_weights

POINTER = b"version https://git-lfs.github.com/spec/v1\noid sha256:%s\nsize 90868376\n" % (b"0" * 64)


def model_with(folder: Path, **files: bytes) -> Path:
    """Makes a whole model of two modules, and puts `files` in it."""
    write_weights(folder / "model.safetensors")
    write_weights(folder / "2_Dense" / "model.safetensors")
    (folder / "modules.json").write_text(json.dumps([{"path": "", "type": "T"}, {"path": "2_Dense", "type": "D"}]))
    (folder / "tokenizer.json").write_text("{}")
    for name, content in files.items():
        (folder / name).write_bytes(content)
    return folder


@pytest.mark.parametrize("name", ["model.safetensors", "2_Dense/model.safetensors", "tokenizer.json"])
def test_a_pointer_of_git_lfs_instead_of_a_file(tmp_path: Path, name: str) -> None:
    model_with(tmp_path)
    (tmp_path / name).write_bytes(POINTER)
    with pytest.raises(ModelError, match=rf"{name} is a pointer of Git LFS.*git lfs pull"):
        locate_model(tmp_path)


@pytest.mark.parametrize("name", ["model.safetensors", "2_Dense/model.safetensors"])
@pytest.mark.parametrize("kept", [0, 7, 8, 30, 80, -1])
def test_a_download_that_was_cut(tmp_path: Path, name: str, kept: int) -> None:
    content = (model_with(tmp_path) / name).read_bytes()
    (tmp_path / name).write_bytes(content[:kept])
    with pytest.raises(ModelError, match=r"is cut short: it has .* bytes|is not a safetensors file"):
        locate_model(tmp_path)


@pytest.mark.parametrize(
    "content",
    [
        b"<!DOCTYPE html><html><body>404</body></html>",
        b"\x02\0\0\0\0\0\0\0[]",
        b"\x04\0\0\0\0\0\0\0null",
        b"\x0a\0\0\0\0\0\0\0" + b'{"a": "b"}',
        b"\x0b\0\0\0\0\0\0\0" + b"{not JSON!}",
        b"\xff" * 64,
    ],
)
def test_something_else_instead_of_weights(tmp_path: Path, content: bytes) -> None:
    (model_with(tmp_path) / "model.safetensors").write_bytes(content)
    with pytest.raises(ModelError, match=r"is not a safetensors file .*download the model again"):
        locate_model(tmp_path)


class Trap:
    """What a pickle can do: it makes a folder when it is loaded."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> Any:
        return (Path.mkdir, (self.path,))


@pytest.mark.parametrize("where", ["", "2_Dense"])
def test_a_pickle_is_never_loaded(tmp_path: Path, where: str) -> None:
    folder = model_with(tmp_path / "model")
    (folder / where / "model.safetensors").unlink()
    (folder / where / "pytorch_model.bin").write_bytes(pickle.dumps(Trap(tmp_path / "sprung")))
    with pytest.raises(ModelError, match=r"pytorch_model\.bin is a pickle.*safetensors are needed"):
        locate_model(folder)
    assert not (tmp_path / "sprung").exists()


def test_a_pickle_next_to_safetensors_does_not_count(tmp_path: Path) -> None:
    before = locate_model(model_with(tmp_path)).weights_sha256
    (tmp_path / "pytorch_model.bin").write_bytes(b"anything")
    assert locate_model(tmp_path).weights_sha256 == before


@pytest.mark.parametrize(
    ("name", "what"),
    [
        ("model.gguf", "llama.cpp"),
        ("onnx/model_quantized.onnx", "ONNX"),
        ("openvino/openvino_model.xml", "OpenVINO"),
        ("adapter_config.json", "an adapter: merge it"),
        ("tf_model.h5", "TensorFlow"),
    ],
)
def test_weights_of_another_format_are_named(tmp_path: Path, name: str, what: str) -> None:
    (model_with(tmp_path) / "model.safetensors").unlink()
    (tmp_path / "2_Dense" / "model.safetensors").unlink()
    write_weights(tmp_path / "adapter_model.safetensors")
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_bytes(b"{}")
    with pytest.raises(ModelError, match=rf"holds no model\.safetensors; {name} is .*{what}"):
        locate_model(tmp_path)


def test_a_file_instead_of_a_folder_is_told_so(tmp_path: Path) -> None:
    write_weights(tmp_path / "model.safetensors")
    with pytest.raises(ModelError, match="is a file: give the folder"):
        locate_model(tmp_path / "model.safetensors")


def test_the_modules_of_a_model_with_two_ways_in_are_its_weights(tmp_path: Path) -> None:
    (tmp_path / "modules.json").write_text('[{"path": "", "type": "Router"}]')
    types = dict.fromkeys(["query_0_Transformer", "document_0_Transformer"], "T")
    (tmp_path / "router_config.json").write_text(json.dumps({"types": types}))
    write_weights(tmp_path / "query_0_Transformer" / "model.safetensors")
    write_weights(tmp_path / "document_0_Transformer" / "model.safetensors")
    before = locate_model(tmp_path).weights_sha256
    write_weights(tmp_path / "document_0_Transformer" / "model.safetensors", value=2.0)
    assert locate_model(tmp_path).weights_sha256 != before
