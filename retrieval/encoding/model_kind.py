"""Whether a folder holds a model that gives one dense vector per text.

A cross-encoder scores pairs of texts, SPLADE gives a weight for each word of its vocabulary, ColBERT a vector for each
token. sentence-transformers loads them all, and averages the output.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from retrieval.errors import ModelError

MODULE_LISTS = ("modules.json", "router_config.json")
"""The files that name the modules of a model; the second is for models with two ways, for queries and documents."""
_ADVICE = "choose a sentence-transformers model for embeddings, such as sentence-transformers/all-MiniLM-L6-v2"
_OF_TYPE = {
    "CrossEncoder": "a cross-encoder, which scores pairs of texts",
    "SparseEncoder": "a sparse encoder such as SPLADE, which weighs words",
    "MultiVectorEncoder": "a late-interaction model such as ColBERT, which gives a vector for each token",
}
_OF_MODULE = {
    ".cross_encoder.": "CrossEncoder",
    ".sparse_encoder.": "SparseEncoder",
    "Splade": "SparseEncoder",
    ".multi_vector_encoder.": "MultiVectorEncoder",
    "pylate.": "MultiVectorEncoder",
}
"""A part of the name of a module's class in `modules.json`."""


def check_kind(folder: Path, model_id: str) -> str | None:
    """Returns what the user should know about the kind of model in `folder`; None if it is made for embeddings.

    Raises:
        ModelError: if it does not give one vector per text.
    """
    kind = _other_kind(folder)
    if kind is not None:
        raise ModelError(f"{model_id} is {kind}, and gives no vector for a text: {_ADVICE}.")
    if (folder / "modules.json").exists():
        return None
    architecture = _architecture(folder)
    if architecture is None:
        return None  # not a transformers model either: the library reports what it thinks of it
    return (
        f"{model_id} has no modules.json: {architecture} was not saved as a sentence-transformers model. The vectors "
        f"of its tokens are averaged. If it was not trained for that, searches will find little: {_ADVICE}."
    )


def module_names(folder: Path) -> set[str]:
    """Returns the folders in a model's folder that hold its modules; none if nothing lists them."""
    listed = [each.get("path") for each in _json(folder / "modules.json", list) if isinstance(each, dict)]
    routed = _json(folder / "router_config.json", dict).get("types")
    listed += list(routed) if isinstance(routed, dict) else []
    return {path.partition("/")[0] for path in listed if isinstance(path, str)} - {"", "..", "."}


def _other_kind(folder: Path) -> str | None:
    saved_as = _json(folder / "config_sentence_transformers.json", dict).get("model_type")
    if saved_as in _OF_TYPE:
        return _OF_TYPE[saved_as]
    modules = [each for each in _json(folder / "modules.json", list) if isinstance(each, dict)]
    for module in modules:
        for part, kind in _OF_MODULE.items():
            if part in str(module.get("type")):
                return _OF_TYPE[kind]
        task = _json(folder / str(module.get("path", "")) / "sentence_bert_config.json", dict).get("transformer_task")
        if task == "sequence-classification":
            return _OF_TYPE["CrossEncoder"]
    architecture = _architecture(folder) or ""
    if not modules and architecture.endswith("ForSequenceClassification"):
        return f"{_OF_TYPE['CrossEncoder']}, or a classifier ({architecture})"
    if not modules and "colbert" in architecture.lower():
        return _OF_TYPE["MultiVectorEncoder"]
    return None


def _architecture(folder: Path) -> str | None:
    """Returns the class that the weights are for, such as `BertModel`, or None if no configuration tells."""
    config = _json(folder / "config.json", dict)
    names = config.get("architectures")
    if isinstance(names, list) and names:
        return str(names[0])
    return str(config["model_type"]) if "model_type" in config else None


def _json(path: Path, kind: type) -> Any:
    """Returns the content of a JSON file if it has this type, or else an empty one."""
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return kind()
    return values if isinstance(values, kind) else kind()
