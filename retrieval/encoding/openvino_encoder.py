"""The encoder of a converted model: its tokenizer and prompts, and the model on OpenVINO behind them."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from retrieval.encoding.openvino_model import BACKEND, TOKEN_STEP, OpenVinoModel
from retrieval.encoding.prompts import Prompts
from retrieval.encoding.token_batches import Tokens
from retrieval.quantization import Float32s

_TIMED_WORDS = 10
_ADDED = 16
"""More tokens than any tokenizer adds to a text. Of the text itself, each takes one ASCII character at least."""
_WARM_UP_WORDS = range(1, 33, TOKEN_STEP)
"""Texts with these numbers of words are encoded at the start: the first of each length takes longer."""


class OpenVinoEncoder:
    """An `Encoder` that runs a converted model, shows tokens, counts unknown ones and chooses cores."""

    backend = BACKEND

    def __init__(self, folder: Path, model_id: str) -> None:
        """Opens the converted model in `folder`, which `cached_model` has verified, under its current name."""
        record = json.loads((folder / "encoder.json").read_text())
        self.model_id = model_id
        self.note: str | None = record.get("note")
        self.weights_sha256: str = record["weights_sha256"]
        self.dim: int = record["dim"]
        self.max_tokens: int | None = record["max_tokens"]
        self._prompts = Prompts(**record.get("prompts", {}))
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        if self.max_tokens is not None:
            self._tokenizer.enable_truncation(self.max_tokens, direction=record.get("truncation_side", "right"))
        self._unknown_id = unknown_token_id(self._tokenizer)
        self._model = OpenVinoModel(folder, record)
        for num_words in _WARM_UP_WORDS:
            self.encode_query(["word " * num_words])
        self._model.release_weights()

    def __repr__(self) -> str:
        return f"OpenVinoEncoder({self.model_id}, {self.dim} dimensions)"

    def encode(self, texts: Sequence[str]) -> Float32s:
        return self._encode(texts, self._prompts.document)

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        return self._encode(texts, self._prompts.query)

    def num_tokens_cut(self, text: str) -> int:
        read = self._prompts.query + text
        if self.max_tokens is None or (read.isascii() and len(read) <= self.max_tokens - _ADDED):
            return 0
        [encoding] = self._tokenizer.encode_batch([read])
        return sum(part.special_tokens_mask.count(0) for part in encoding.overflowing)

    def num_tokens_unknown(self, text: str) -> tuple[int, int]:
        encoding = self._tokenizer.encode(self._prompts.query + text)
        # The unknown token is a special one, but not masked as such if it stands for a word.
        ids = [
            each for each, is_special in zip(encoding.ids, encoding.special_tokens_mask, strict=True) if not is_special
        ]
        return ids.count(self._unknown_id) if self._unknown_id is not None else 0, len(ids)

    def tokens(self, text: str) -> list[str]:
        [encoding] = self._tokenizer.encode_batch([self._prompts.query + text])
        cut = [
            token
            for part in encoding.overflowing
            for token, is_special in zip(part.tokens, part.special_tokens_mask, strict=True)
            if not is_special
        ]
        return [*encoding.tokens, *cut]

    def choose_cores(self, answer: Callable[[Float32s], object]) -> None:
        [text] = self._tokens(["word " * _TIMED_WORDS])
        self._model.choose_cores(text, answer)

    def _encode(self, texts: Sequence[str], prompt: str) -> Float32s:
        if len(texts) == 0:
            return np.empty((0, self.dim), dtype=np.float32)
        return self._model.encode(self._tokens([prompt + text for text in texts]))

    def _tokens(self, texts: list[str]) -> list[Tokens]:
        return [Tokens(each.ids, each.type_ids) for each in self._tokenizer.encode_batch_fast(texts)]


def unknown_token_id(tokenizer: Tokenizer) -> int | None:
    """Returns the id of unknown tokens; None if nothing can be unknown, as with bytes."""
    name = getattr(tokenizer.model, "unk_token", None)
    for token in (name, "[UNK]", "<unk>") if name is not None else ("[UNK]", "<unk>"):
        number: int | None = tokenizer.token_to_id(token)
        if number is not None:
            return number
    return None
