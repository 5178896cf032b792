"""The embedding model on OpenVINO: converted once, then started from the cache without PyTorch."""

from __future__ import annotations

import json
import mmap
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from tokenizers import Tokenizer

from retrieval.encoding.model_cache import CONVERTED_FILES, conversion_folder, keep_converted, sha256_of
from retrieval.encoding.model_files import ModelFiles
from retrieval.encoding.token_batches import Tokens, batches_of_similar_length, padded
from retrieval.quantization import Float32s
from retrieval.system import UnderWay, is_worth_it, usable_cores

# OpenVINO reports its import and each conversion to its makers, asking nobody, unless this package cannot be imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
import openvino  # noqa: E402 - after the line above

if TYPE_CHECKING:
    from retrieval.encoding.torch_encoder import TorchEncoder

_TOKENS_PER_BATCH = 512
"""Batches of this many tokens are the fastest for a corpus: measured 128 to 2,048 on 2 cores."""
_SAMPLES = ("how to read a file", "x", "naïve 日本語 🍎", "one of many words " * 8, "a text that is long " * 160)
_LEAST_COSINE = 0.999
"""Rounding costs 0.0001, also where OpenVINO computes with bfloat16; another pooling or prompt costs far more."""
_LENGTH_TOLERANCE = 0.01
"""What bfloat16 may make of a length of 1."""
_MOST_STREAMS = 8
"""Queries that are encoded at once, one core each: each of these streams keeps some 10 MB."""
_TIMED_WORDS = 10
_TOKENS_BETWEEN_RELEASES = 200
"""Each token that is read maps some 64 KB of the word table into the process; this keeps that to some 10 MB."""
_LEAST_TOKENS, _TOKEN_STEP = 16, 8
"""OpenVINO prepares itself anew whenever a query has another length than the one before, which takes a quarter of its
time: so most queries are padded to one length, longer ones to one of few."""
_WARM_UP_WORDS = range(1, 33, _TOKEN_STEP)
"""Texts of so many words are encoded at the start: the first of each length takes longer."""


def convert_to_openvino(files: ModelFiles) -> Path:
    """Converts a sentence-transformers model, pooling and normalization included, and returns its folder in the cache.

    Raises:
        RuntimeError: if OpenVINO cannot convert the model, or gives other embeddings than PyTorch.
        ModelError: if the model cannot be loaded.
        OSError: if the cache cannot be written.
    """
    from retrieval.encoding.torch_encoder import TorchEncoder

    original = TorchEncoder(files)
    with conversion_folder() as work:
        (work / "tokenizer.json").write_text(original.tokenizer_json(), encoding="utf-8")
        inputs = _convert_module(original, work / "model.xml")
        record = {
            "model_id": files.model_id,
            "note": files.note,
            "weights_sha256": files.weights_sha256,
            "dim": original.dim,
            "max_tokens": original.max_tokens,
            "inputs": inputs,
            "prompts": {"query": original.prompts.query, "document": original.prompts.document},
            **original.token_settings(),
            "files": {name: sha256_of(work / name) for name in CONVERTED_FILES},
        }
        (work / "encoder.json").write_text(json.dumps(record, indent=1))
        _check_agreement(OpenVinoEncoder(work, files.model_id), original)
        return keep_converted(work, files.weights_sha256)


def _convert_module(original: TorchEncoder, path: Path) -> list[str]:
    """Writes the converted model to `path` and `.bin` next to it, and returns the names of its inputs."""
    from retrieval.encoding.torch_encoder import quiet

    try:
        with quiet():
            module, example = original.traceable_module()
            converted = openvino.convert_model(module, example_input=example)
    except Exception as error:
        # Tracing runs the model's own code, and OpenVINO's errors have no common base.
        raise RuntimeError(f"cannot convert it: {error}") from error
    openvino.save_model(converted, path, compress_to_fp16=False)
    return sorted(example)


def _check_agreement(converted: OpenVinoEncoder, original: TorchEncoder) -> None:
    """Checks that tracing kept what the model does with lengths, padding and prompts.

    Raises:
        RuntimeError: if a text gets another embedding than from PyTorch.
    """
    # Words of other languages may all be unknown to a model: some of its own, and how it reads capitals, count too.
    own = " ".join(original.own_words())
    samples = [*_SAMPLES, *filter(None, (own, own.title()))]
    pairs = [
        (converted.encode(samples), original.encode(samples)),
        (converted.encode_query(samples), original.encode_query(samples)),
        (converted.encode_query(samples[-1:]), original.encode_query(samples[-1:])),
    ]
    worst = 1.0
    for one, other in pairs:
        # A long vector has a large dot product with any other: lengths and angles are compared on their own.
        lengths = np.linalg.norm(one, axis=1)
        if not np.all(np.abs(lengths - 1) <= _LENGTH_TOLERANCE):
            raise RuntimeError(f"it gives embeddings of length {lengths.min():.3g} to {lengths.max():.3g}, not 1")
        cosines = (one * other).sum(axis=1) / (lengths * np.linalg.norm(other, axis=1))
        worst = min(worst, float(cosines.min()))
    if not worst >= _LEAST_COSINE:
        raise RuntimeError(f"it gives other embeddings than PyTorch, cosine {worst:.3f}")


def unknown_token_id(tokenizer: Tokenizer) -> int | None:
    """Returns the id that stands for what the vocabulary lacks; None where nothing can be unknown, as with bytes."""
    name = getattr(tokenizer.model, "unk_token", None)
    for token in (name, "[UNK]", "<unk>") if name is not None else ("[UNK]", "<unk>"):
        number: int | None = tokenizer.token_to_id(token)
        if number is not None:
            return number
    return None


def _one_core_each() -> dict[str, Any]:
    # Threads that are pinned to cores are in the way of the scan, which uses the same cores right after.
    return {"NUM_STREAMS": _most_at_once(), "INFERENCE_NUM_THREADS": _most_at_once(), "ENABLE_CPU_PINNING": False}


def _all_cores() -> dict[str, Any]:
    return {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": usable_cores(), "ENABLE_CPU_PINNING": False}


def _most_at_once() -> int:
    return min(usable_cores(), _MOST_STREAMS)


class OpenVinoEncoder:
    """An encoder that runs a converted model.

    Each query has one core, or all where that was found to pay and no other query is under way; see `choose_cores`. A
    long list has one core per batch.
    """

    def __init__(self, folder: Path, model_id: str) -> None:
        """Opens the converted model in `folder`, which `cached_model` has verified, under the name it goes by now."""
        record = json.loads((folder / "encoder.json").read_text())
        self.model_id = model_id
        self.note: str | None = record.get("note")
        self.weights_sha256: str = record["weights_sha256"]
        self.dim: int = record["dim"]
        self.max_tokens: int | None = record["max_tokens"]
        self.backend = f"OpenVINO {openvino.__version__.split('-')[0]}"
        self._inputs: list[str] = record["inputs"]
        self._pad_id: int = record.get("pad_id", 0)
        self._prompts: dict[str, str] = record.get("prompts", {})
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        if self.max_tokens is not None:
            self._tokenizer.enable_truncation(self.max_tokens, direction=record.get("truncation_side", "right"))
        self._unknown_id = unknown_token_id(self._tokenizer)
        self._core = openvino.Core()
        with (folder / "model.bin").open("rb") as file:
            self._weights = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        weights = openvino.Tensor(np.frombuffer(self._weights, np.uint8), shared_memory=True)
        self._model = self._core.read_model((folder / "model.xml").read_bytes(), weights)
        self._for_queries = self._core.compile_model(self._model, "CPU", _one_core_each())
        self._requests: list[Any] = []
        self._turns = threading.BoundedSemaphore(_most_at_once())
        self._under_way = UnderWay()
        self._on_all_cores: list[Any] = []
        self._were_cores_chosen = False
        self._tokens_read = 0
        self._bulk: Any = None
        self._bulk_lock = threading.Lock()
        for num_words in _WARM_UP_WORDS:
            self.encode_query(["word " * num_words])
        self._release_weights()

    def __repr__(self) -> str:
        return f"OpenVinoEncoder({self.model_id}, {self.dim} dimensions)"

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)` for documents, each row of length 1."""
        return self._encode(texts, self._prompts.get("document", ""))

    def encode_query(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)` for queries, each row of length 1."""
        return self._encode(texts, self._prompts.get("query", ""))

    def num_tokens_cut(self, text: str) -> int:
        """Returns how many tokens of the query `text` are beyond the model's length and are not seen."""
        [encoding] = self._tokenizer.encode_batch([self._prompts.get("query", "") + text])
        return sum(part.special_tokens_mask.count(0) for part in encoding.overflowing)

    def num_tokens_unknown(self, text: str) -> tuple[int, int]:
        """Returns how many tokens of the query `text` are unknown to the model, and how many it reads in all."""
        encoding = self._tokenizer.encode(self._prompts.get("query", "") + text)
        # The unknown token is itself one of the special ones, but not masked as such where it stands for a text.
        ids = [
            each for each, is_special in zip(encoding.ids, encoding.special_tokens_mask, strict=True) if not is_special
        ]
        return ids.count(self._unknown_id) if self._unknown_id is not None else 0, len(ids)

    def tokens(self, text: str) -> list[str]:
        """Returns all tokens of the query `text`, special ones included: those that are read, then those cut."""
        [encoding] = self._tokenizer.encode_batch([self._prompts.get("query", "") + text])
        cut = [
            token
            for part in encoding.overflowing
            for token, is_special in zip(part.tokens, part.special_tokens_mask, strict=True)
            if not is_special
        ]
        return [*encoding.tokens, *cut]

    def choose_cores(self, answer: Callable[[Float32s], object]) -> None:
        """Measures whether a query alone is answered sooner when all cores encode it, and keeps to what is sooner.

        It depends on the machine, and on what comes after: OpenVINO's threads spin for a while when they are done, and
        are in the way of it. Once is enough for an encoder; until it is done, every query has one core.

        Args:
            answer: does with a vector `(1, dim)` what a query does after it was encoded.
        """
        if self._were_cores_chosen or usable_cores() == 1:
            return
        self._were_cores_chosen = True
        request = self._core.compile_model(self._model, "CPU", _all_cores()).create_infer_request()
        [encoding] = self._tokenizer.encode_batch_fast(["word " * _TIMED_WORDS])
        tokens = [Tokens(encoding.ids, encoding.type_ids)]

        def on_all_cores() -> None:
            answer(self._infer(request, tokens))

        def on_one_core() -> None:
            answer(self._encode_in_turn(tokens))

        if is_worth_it(on_all_cores, on_one_core):
            self._on_all_cores.append(request)
        self._release_weights()

    def _encode(self, texts: Sequence[str], prompt: str) -> Float32s:
        if len(texts) == 0:
            return np.empty((0, self.dim), dtype=np.float32)
        encodings = self._tokenizer.encode_batch_fast([prompt + text for text in texts])
        tokens = [Tokens(encoding.ids, encoding.type_ids) for encoding in encodings]
        return self._encode_one(tokens) if len(texts) == 1 else self._encode_bulk(tokens)

    def _release_weights(self) -> None:
        # OpenVINO computes with a copy of its own, laid out for the processor. What it still wants of the file, such
        # as rows of the word table, is mapped again when touched: 90 MB of RAM less for all-MiniLM-L6-v2.
        if hasattr(mmap, "MADV_DONTNEED"):
            self._weights.madvise(mmap.MADV_DONTNEED)

    def _encode_one(self, tokens: list[Tokens]) -> Float32s:
        with self._under_way as is_alone:
            # The one request for all cores is used by the query that is alone: nobody else takes it meanwhile.
            if is_alone and self._on_all_cores:
                vector = self._infer(self._on_all_cores[0], tokens)
            else:
                vector = self._encode_in_turn(tokens)
        self._tokens_read += len(tokens[0].ids)
        if self._tokens_read >= _TOKENS_BETWEEN_RELEASES:
            self._tokens_read = 0
            self._release_weights()
        return vector

    def _encode_in_turn(self, tokens: list[Tokens]) -> Float32s:
        # No more requests than cores, however many ask: each keeps its memory. list.pop and append are atomic: a
        # request is used by one thread at a time, and kept for the next query.
        with self._turns:
            try:
                request = self._requests.pop()
            except IndexError:
                request = self._for_queries.create_infer_request()
            try:
                return self._infer(request, tokens)
            finally:
                self._requests.append(request)

    def _infer(self, request: Any, tokens: list[Tokens]) -> Float32s:
        request.infer(padded(tokens, self._inputs, self._pad_id, self._padded_length(len(tokens[0]))))
        return np.array(request.get_output_tensor(0).data, dtype=np.float32)

    def _padded_length(self, num_tokens: int) -> int:
        length = max(_LEAST_TOKENS, -(-num_tokens // _TOKEN_STEP) * _TOKEN_STEP)
        return length if self.max_tokens is None else min(length, self.max_tokens)

    def _encode_bulk(self, tokens: list[Tokens]) -> Float32s:
        embeddings = np.empty((len(tokens), self.dim), dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            embeddings[rows] = request.get_output_tensor(0).data

        with self._bulk_lock:
            if self._bulk is None:
                compiled = self._core.compile_model(self._model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
                num_requests = 2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
                self._bulk = openvino.AsyncInferQueue(compiled, num_requests)
                self._release_weights()
            self._bulk.set_callback(keep)
            for rows in batches_of_similar_length([len(text) for text in tokens], _TOKENS_PER_BATCH):
                self._bulk.start_async(padded([tokens[row] for row in rows], self._inputs, self._pad_id), rows)
            self._bulk.wait_all()
        return embeddings
