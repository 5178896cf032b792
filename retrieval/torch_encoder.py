"""The embedding model on PyTorch, through sentence-transformers: the fallback, and what OpenVINO converts."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrieval.errors import ModelError
from retrieval.model_files import ModelFiles
from retrieval.quantization import Float32s

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")


def load_sentence_transformer(files: ModelFiles) -> Any:
    """Returns the `SentenceTransformer` in the model's folder, on the CPU.

    Raises:
        ModelError: if sentence-transformers cannot load it.
    """
    with quiet():
        from sentence_transformers import SentenceTransformer

        try:
            return SentenceTransformer(str(files.folder), device="cpu", local_files_only=True)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            raise ModelError(
                f"sentence-transformers cannot load {files.folder}: {error}. "
                "Give the folder of a sentence-transformers model."
            ) from error


def traceable_module(model: Any) -> tuple[Any, dict[str, Any]]:
    """Returns a torch module from token ids to normalized embeddings, and an example input to trace it with."""
    import torch

    class WholeModel(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
            features = {"input_ids": input_ids, "attention_mask": attention_mask}
            if token_type_ids is not None:
                features["token_type_ids"] = token_type_ids
            embeddings = self.model(features)["sentence_embedding"]
            return torch.nn.functional.normalize(embeddings, dim=-1)

    with quiet():
        features = model.preprocess(["an example of some words", "another"])
    example = {name: features[name] for name in _INPUTS if name in features}
    return WholeModel().eval(), example


class TorchEncoder:
    """An encoder that runs sentence-transformers as it is."""

    def __init__(self, files: ModelFiles, *, note: str | None = None) -> None:
        """Loads the model of `files`; `note` is what the user should know.

        Raises:
            ModelError: if sentence-transformers cannot load it.
        """
        import torch

        self._model = load_sentence_transformer(files)
        self.model_id = files.model_id
        self.weights_sha256 = files.weights_sha256
        self.dim: int = self._model.get_embedding_dimension()
        self.backend = f"PyTorch {torch.__version__}"
        self.note = note

    def __repr__(self) -> str:
        return f"TorchEncoder({self.model_id}, {self.dim} dimensions)"

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)`, each row of length 1."""
        if len(texts) == 0:
            return np.empty((0, self.dim), dtype=np.float32)
        embeddings = self._model.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(embeddings, dtype=np.float32)

    def num_tokens_cut(self, text: str) -> int:
        """Returns how many tokens of `text` are beyond the model's length and are not seen."""
        # verbose: that a text is long is what is asked for, and no reason for a warning.
        num_tokens = len(self._model.tokenizer(text, truncation=False, verbose=False)["input_ids"])
        return max(0, num_tokens - int(self._model.max_seq_length))


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the advice and the bars that transformers prints while loading away from the user's terminal.

    For one thread at a time: the settings belong to the process.
    """
    from transformers.utils import logging as transformers_logging

    level, has_bars = transformers_logging.get_verbosity(), transformers_logging.is_progress_bar_enabled()
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        transformers_logging.set_verbosity(level)
        if has_bars:
            transformers_logging.enable_progress_bar()
