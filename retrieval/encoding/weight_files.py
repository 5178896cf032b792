"""Checks that a model's files are what their names say, before anything is loaded from them.

Only safetensors are accepted: a pickle can run code when it is loaded. A safetensors file is 8 bytes with the length
of its header, the header as JSON, and the numbers that the header describes
(https://huggingface.co/docs/safetensors/index#format).
"""

from __future__ import annotations

import json
from pathlib import Path

from retrieval.errors import ModelError

_LFS_POINTER = b"version https://git-lfs.github.com/spec/"
_LONGEST_HEADER_BYTES = 100_000_000
"""The limit of the format's own library."""
_OTHER_FORMATS = {
    "adapter_config.json": "an adapter: merge it into its base model and save that",
    "*.gguf": "weights for llama.cpp",
    "*.onnx": "a model for ONNX Runtime",
    "openvino_model*.xml": "a model that was converted for OpenVINO",
    "*.h5": "weights for TensorFlow",
    "*.msgpack": "weights for Flax",
}
_SAVE_AGAIN = "SentenceTransformer(...).save_pretrained(folder), which writes safetensors"


def check_weight_files(folder: Path, module_folders: list[Path], parts: list[Path]) -> None:
    """Checks that the weights in a model's folder are whole safetensors files.

    Args:
        folder: the model's folder.
        module_folders: it, and those of its modules.
        parts: the files that would be loaded.

    Raises:
        ModelError: if they are of another format, stand-ins for files that were not downloaded, or cut short.
        OSError: if a file cannot be read.
    """
    if not any(path.suffix == ".safetensors" and not path.name.startswith("adapter") for path in parts):
        _raise_no_weights(folder, module_folders)
    for path in parts:
        with path.open("rb") as file:
            if file.read(len(_LFS_POINTER)) == _LFS_POINTER:
                raise ModelError(
                    f"{path} is a pointer of Git LFS, not the file itself: run `git lfs pull` in {folder}, or "
                    f"download the model again."
                )
        if path.suffix == ".safetensors":
            _check_whole(path)
    _refuse_pickles(module_folders)


def _raise_no_weights(folder: Path, module_folders: list[Path]) -> None:
    _refuse_pickles(module_folders)
    instead = ""
    for pattern, what in _OTHER_FORMATS.items():
        if found := sorted([*folder.glob(pattern), *folder.glob(f"*/{pattern}")]):
            instead = f"; {found[0].relative_to(folder)} is {what}"
            break
    raise ModelError(f"{folder} holds no model.safetensors{instead}. Give the folder of a sentence-transformers model.")


def _refuse_pickles(module_folders: list[Path]) -> None:
    for folder in module_folders:
        pickles = sorted(folder.glob("pytorch_model*.bin"))
        if pickles and not any(folder.glob("model*.safetensors")):
            raise ModelError(
                f"{pickles[0]} is a pickle, which can run code when it is loaded: safetensors are needed. "
                f"If you trust its source, load it and save it with {_SAVE_AGAIN}."
            )


def _check_whole(path: Path) -> None:
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _LONGEST_HEADER_BYTES:
                raise ValueError("its header has no length")
            if size < 8 + length:
                needed = 8 + length
            else:
                header = json.loads(file.read(length))
                ends = [int(each["data_offsets"][1]) for name, each in header.items() if name != "__metadata__"]
                needed = 8 + length + max(ends, default=0)
    except (ValueError, KeyError, TypeError, AttributeError, IndexError, RecursionError) as error:
        raise ModelError(f"{path} is not a safetensors file ({error}): copy or download the model again.") from error
    if size < needed:
        raise ModelError(
            f"{path} is cut short: it has {size:,} bytes, at least {needed:,} are expected. Copy or download the "
            f"model again."
        )
