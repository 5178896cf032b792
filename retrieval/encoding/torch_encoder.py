"""The embedding model on PyTorch, through sentence-transformers: the fallback, and what OpenVINO converts."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from retrieval.encoding.model_files import ModelFiles
from retrieval.encoding.prompts import Prompts
from retrieval.errors import ModelError
from retrieval.quantization import Float32s

_INPUTS = ("input_ids", "attention_mask", "token_type_ids")
_LONGEST_LIMIT = 1_000_000
"""transformers uses a huge number for "no limit" if a tokenizer names none."""


def load_sentence_transformer(files: ModelFiles) -> Any:
    """Returns the `SentenceTransformer` in the model's folder, on the CPU and in float32, whatever its weights are.

    Raises:
        ModelError: if sentence-transformers cannot load it, or it needs its own program code.
    """
    import torch

    with quiet():
        from sentence_transformers import SentenceTransformer

        try:
            model = SentenceTransformer(
                str(files.folder),
                device="cpu",
                local_files_only=True,
                model_kwargs={"dtype": torch.float32, "use_safetensors": True},
            )
        except Exception as error:  # the library, transformers and the model's configuration raise all kinds of errors
            raise ModelError(_why_not_loaded(files, error)) from error
    # A module may have its own type: a model traced in half precision computes in it, or not at all.
    return model.float()


def _why_not_loaded(files: ModelFiles, error: Exception) -> str:
    reason = " ".join(str(error).split())
    if "trust_remote_code" in reason:
        return (
            f"{files.model_id} needs its own Python code, which is not run here: choose another model. Or encode "
            f"your texts with it elsewhere, and pass the vectors with --embeddings."
        )
    return (
        f"sentence-transformers cannot load {files.folder}: {reason or type(error).__name__}. "
        f"Give the folder of a sentence-transformers model."
    )


class TorchEncoder:
    """An `Encoder` that runs sentence-transformers as it is, shows tokens and counts unknown ones."""

    def __init__(self, files: ModelFiles, *, note: str | None = None) -> None:
        """Loads the model of `files`; `note` is what the user should know.

        Raises:
            ModelError: if sentence-transformers cannot load it.
        """
        import torch

        self._model = load_sentence_transformer(files)
        self.model_id = files.model_id
        self.weights_sha256 = files.weights_sha256
        self.prompts = Prompts.of(self._model.prompts)
        limit = self._model.max_seq_length
        self.max_tokens = int(limit) if limit is not None and limit < _LONGEST_LIMIT else None
        self.dim = self._tried_dim(files)
        self.backend = f"PyTorch {torch.__version__}"
        self.note = note

    def __repr__(self) -> str:
        return f"TorchEncoder({self.model_id}, {self.dim} dimensions)"

    def encode(self, texts: Sequence[str]) -> Float32s:
        return self._encode(self._model.encode_document, texts, self.prompts.document)

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        return self._encode(self._model.encode_query, texts, self.prompts.query)

    def num_tokens_cut(self, text: str) -> int:
        if self.max_tokens is None:
            return 0
        # verbose: the length is what is asked for, not a reason for a warning.
        whole = self._model.tokenizer(self.prompts.query + text, truncation=False, verbose=False)
        return max(0, len(whole["input_ids"]) - self.max_tokens)

    def num_tokens_unknown(self, text: str) -> tuple[int, int]:
        tokenizer = self._model.tokenizer
        unknown = getattr(tokenizer, "unk_token_id", None)
        ends = {
            getattr(tokenizer, name, None) for name in ("cls_token_id", "sep_token_id", "bos_token_id", "eos_token_id")
        }
        whole = tokenizer(self.prompts.query + text, truncation=True, max_length=self.max_tokens, verbose=False)
        ids = [number for number in whole["input_ids"] if number not in ends]
        return sum(number == unknown for number in ids) if unknown is not None else 0, len(ids)

    def tokens(self, text: str) -> list[str]:
        tokenizer = self._model.tokenizer
        if not hasattr(tokenizer, "convert_ids_to_tokens"):
            return []
        whole = tokenizer(self.prompts.query + text, truncation=False, verbose=False)
        tokens = list(tokenizer.convert_ids_to_tokens(whole["input_ids"]))
        num_cut = self.num_tokens_cut(text)
        # The special tokens at both ends count as read.
        start = 1 if tokenizer.truncation_side == "left" else len(tokens) - 1 - num_cut
        return [*tokens[:start], *tokens[start + num_cut :], *tokens[start : start + num_cut]]

    def tokenizer_json(self) -> str:
        """Returns the tokenizer in the format of the `tokenizers` library.

        Raises:
            RuntimeError: if the model has no tokenizer that fills rows of token ids.
        """
        tokenizer: Any = getattr(self._model, "tokenizer", None)
        if not getattr(tokenizer, "is_fast", False):
            raise RuntimeError(f"{type(self._model[0]).__name__} uses no fast tokenizer of transformers")
        return str(tokenizer.backend_tokenizer.to_str())

    def token_settings(self) -> dict[str, Any]:
        """Returns the number that pads a row of token ids, and the side that is cut from a long text."""
        tokenizer = self._model.tokenizer
        return {"pad_id": int(tokenizer.pad_token_id or 0), "truncation_side": tokenizer.truncation_side}

    def traceable_module(self) -> tuple[Any, dict[str, Any]]:
        """Returns a torch module from token ids to normalized embeddings, and an example input to trace it with."""
        import torch

        model, dim = self._model, self.dim

        class WholeModel(torch.nn.Module):  # type: ignore[misc]
            def __init__(self) -> None:
                super().__init__()
                self.model = model

            def forward(self, input_ids: Any, attention_mask: Any, token_type_ids: Any = None) -> Any:
                features = {"input_ids": input_ids, "attention_mask": attention_mask}
                if token_type_ids is not None:
                    features["token_type_ids"] = token_type_ids
                # A model may be set to use its first dimensions only.
                embeddings = self.model(features)["sentence_embedding"][:, :dim]
                return torch.nn.functional.normalize(embeddings, dim=-1)

        with quiet():
            features = model.preprocess(["an example of some words", "another"])
        example = {name: features[name] for name in _INPUTS if name in features}
        return WholeModel().eval(), example

    def _tried_dim(self, files: ModelFiles) -> int:
        try:
            embeddings = np.asarray(self._model.encode(["a"], show_progress_bar=False), dtype=np.float32)
            if embeddings.ndim != 2 or embeddings.shape[1] == 0 or not np.isfinite(embeddings).all():
                raise ValueError(f"an array of shape {embeddings.shape}, or not finite")
        except Exception as error:  # it runs the modules of the model, whatever they are
            reason = f"{type(error).__name__}: {' '.join(str(error).split())}"
            raise ModelError(
                f"{files.model_id} gives no vector for a text ({reason}): choose a sentence-transformers model for "
                f"embeddings."
            ) from error
        return int(embeddings.shape[1])

    def _encode(self, encode: Callable[..., Any], texts: Sequence[str], prompt: str) -> Float32s:
        if len(texts) == 0:
            return np.empty((0, self.dim), dtype=np.float32)
        # A model without a final Normalize module is normalized here: scores are cosines.
        embeddings = encode(list(texts), prompt=prompt, normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(embeddings, dtype=np.float32)


@contextmanager
def quiet() -> Iterator[None]:
    """Keeps the advice and progress bars that transformers prints while loading out of the user's terminal.

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
