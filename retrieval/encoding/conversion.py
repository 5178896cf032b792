"""Converts a sentence-transformers model for OpenVINO, and checks that it gives the same embeddings."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from retrieval.encoding.model_cache import CONVERTED_FILES, conversion_folder, keep_converted, sha256_of
from retrieval.encoding.model_files import ModelFiles
from retrieval.encoding.openvino_encoder import OpenVinoEncoder
from retrieval.encoding.openvino_model import write_model
from retrieval.encoding.torch_encoder import TorchEncoder, quiet

_SAMPLES = ("how to read a file", "x", "naïve 日本語 🍎", "one of many words " * 8, "a text that is long " * 160)
_NUM_OWN_WORDS = 12
_LEAST_COSINE = 0.999
"""Rounding costs 0.0001, also where OpenVINO computes with bfloat16; another pooling or prompt costs far more."""
_LENGTH_TOLERANCE = 0.01
"""How far bfloat16 may be from a length of 1."""


def convert_to_openvino(files: ModelFiles) -> Path:
    """Converts a sentence-transformers model, pooling and normalization included, and returns its folder in the cache.

    Raises:
        RuntimeError: if OpenVINO cannot convert the model, or gives different embeddings from PyTorch.
        ModelError: if the model cannot be loaded.
        OSError: if the cache cannot be written.
    """
    original = TorchEncoder(files)
    with conversion_folder() as work:
        (work / "tokenizer.json").write_text(original.tokenizer_json(), encoding="utf-8")
        with quiet():
            inputs = write_model(original.traceable_module, work / "model.xml")
        record = {
            "model_id": files.model_id,
            "note": files.note,
            "weights_sha256": files.weights_sha256,
            "dim": original.dim,
            "max_tokens": original.max_tokens,
            "inputs": inputs,
            "prompts": dataclasses.asdict(original.prompts),
            **original.token_settings(),
            "files": {name: sha256_of(work / name) for name in CONVERTED_FILES},
        }
        (work / "encoder.json").write_text(json.dumps(record, indent=1))
        vocabulary = Tokenizer.from_file(str(work / "tokenizer.json")).get_vocab()
        check_agreement(OpenVinoEncoder(work, files.model_id), original, vocabulary)
        return keep_converted(work, files.weights_sha256)


def check_agreement(converted: OpenVinoEncoder, original: TorchEncoder, vocabulary: Iterable[str]) -> None:
    """Checks that tracing kept what the model does with lengths, padding and prompts.

    Raises:
        RuntimeError: if a text gets a different embedding from PyTorch's.
    """
    # All words of other languages may be unknown to a model: add some that it knows, and capitals.
    words = sorted(word for word in vocabulary if word.isalpha())
    own = " ".join(words[:: max(1, len(words) // _NUM_OWN_WORDS)][:_NUM_OWN_WORDS])
    samples = [*_SAMPLES, *filter(None, (own, own.title()))]
    pairs = [
        (converted.encode(samples), original.encode(samples)),
        (converted.encode_query(samples), original.encode_query(samples)),
        (converted.encode_query(samples[-1:]), original.encode_query(samples[-1:])),
    ]
    worst = 1.0
    for one, other in pairs:
        # A long vector has a large dot product with any other: lengths and angles are compared separately.
        lengths = np.linalg.norm(one, axis=1)
        if not np.all(np.abs(lengths - 1) <= _LENGTH_TOLERANCE):
            raise RuntimeError(f"it gives embeddings of length {lengths.min():.3g} to {lengths.max():.3g}, not 1")
        cosines = (one * other).sum(axis=1) / (lengths * np.linalg.norm(other, axis=1))
        worst = min(worst, float(cosines.min()))
    if not worst >= _LEAST_COSINE:
        raise RuntimeError(f"its embeddings differ from PyTorch's, cosine {worst:.3f}")
