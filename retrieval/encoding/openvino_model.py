"""A model on OpenVINO, from token ids to embeddings: written once, then opened without PyTorch."""

from __future__ import annotations

import mmap
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from retrieval.encoding.token_batches import Tokens, batches_of_similar_length, padded
from retrieval.quantization import Float32s
from retrieval.system import UnderWay, is_worth_it, usable_cores

# OpenVINO reports its import and each conversion to its makers unasked, unless this package cannot be imported.
sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
import openvino  # noqa: E402 - after the line above

BACKEND = f"OpenVINO {openvino.__version__.split('-')[0]}"
_TOKENS_PER_BATCH = 512
"""Batches of this many tokens are the fastest for a corpus: measured 128 to 2,048 on 2 cores."""
_MOST_STREAMS = 8
"""Queries that are encoded at once, one core each: each of these streams keeps about 10 MB."""
_TOKENS_BETWEEN_RELEASES = 200
"""Each token that is read maps 64 KB of the word table into the process, or up to 2 MB where the kernel can: this keeps
it below about 25 MB for all-MiniLM-L6-v2. Releasing it after every query would cost 0.4 ms."""
_LEAST_TOKENS = 16
TOKEN_STEP = 8
"""OpenVINO prepares itself again whenever a query's length differs from the one before, which takes a quarter of its
time: so most queries are padded to one length, longer ones to one of a few."""


def write_model(traceable_module: Callable[[], tuple[Any, dict[str, Any]]], path: Path) -> list[str]:
    """Converts a torch module, which comes with an example input to trace it with, and returns the names of its inputs.

    It is written to `path` and `.bin` next to it.

    Raises:
        RuntimeError: if OpenVINO cannot convert it.
        OSError: if it cannot be written.
    """
    try:
        module, example = traceable_module()
        converted = openvino.convert_model(module, example_input=example)
    except Exception as error:
        # Tracing runs the model's own code, and OpenVINO's errors have no common base.
        raise RuntimeError(f"cannot convert it: {error}") from error
    openvino.save_model(converted, path, compress_to_fp16=False)
    return sorted(example)


def _one_core_each() -> dict[str, Any]:
    # Threads that are pinned to cores slow down the scan, which uses the same cores right afterwards.
    return {"NUM_STREAMS": _most_at_once(), "INFERENCE_NUM_THREADS": _most_at_once(), "ENABLE_CPU_PINNING": False}


def _all_cores() -> dict[str, Any]:
    return {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": usable_cores(), "ENABLE_CPU_PINNING": False}


def _most_at_once() -> int:
    return min(usable_cores(), _MOST_STREAMS)


class OpenVinoModel:
    """A converted model, opened. Safe to use from many threads.

    Each query has one core, or all if that was measured to be faster and it meets no other query; see
    `choose_cores`. A long list has one core per batch.
    """

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        """Opens `model.xml` and `model.bin` in `folder`; `record` is what the conversion noted of them."""
        self._dim: int = record["dim"]
        self._max_tokens: int | None = record["max_tokens"]
        self._inputs: list[str] = record["inputs"]
        self._pad_id: int = record.get("pad_id", 0)
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

    def encode(self, texts: list[Tokens]) -> Float32s:
        """Returns the embeddings of texts, float32 `(len(texts), dim)`; there is one text at least."""
        return self._encode_one(texts) if len(texts) == 1 else self._encode_bulk(texts)

    def choose_cores(self, text: Tokens, answer: Callable[[Float32s], object]) -> None:
        """Measures whether a single query is answered faster when all cores encode it, and uses what is faster.

        It depends on the machine, and on the next stage: OpenVINO's threads spin for a while when they are done, which
        slows it down. Once is enough for a model; until it is done, every query has one core.

        Args:
            text: a query of usual length.
            answer: does with a vector `(1, dim)` what a search does after encoding.
        """
        if self._were_cores_chosen or usable_cores() == 1:
            return
        self._were_cores_chosen = True
        request = self._core.compile_model(self._model, "CPU", _all_cores()).create_infer_request()

        def on_all_cores() -> None:
            answer(self._infer(request, [text]))

        def on_one_core() -> None:
            answer(self._encode_in_turn([text]))

        if is_worth_it(on_all_cores, on_one_core):
            self._on_all_cores.append(request)
        self.release_weights()

    def release_weights(self) -> None:
        """Gives back the RAM of the file of the weights.

        OpenVINO computes with a copy of its own, laid out for the processor. What it still wants of the file, such as
        rows of the word table, is mapped again when touched: 90 MB of RAM less for all-MiniLM-L6-v2.
        """
        if hasattr(mmap, "MADV_DONTNEED"):
            self._weights.madvise(mmap.MADV_DONTNEED)

    def _encode_one(self, tokens: list[Tokens]) -> Float32s:
        with self._under_way as is_alone:
            # The one request for all cores belongs to the single query: nobody else takes it meanwhile.
            if is_alone and self._on_all_cores:
                vector = self._infer(self._on_all_cores[0], tokens)
            else:
                vector = self._encode_in_turn(tokens)
        self._tokens_read += len(tokens[0].ids)
        if self._tokens_read >= _TOKENS_BETWEEN_RELEASES:
            self._tokens_read = 0
            self.release_weights()
        return vector

    def _encode_in_turn(self, tokens: list[Tokens]) -> Float32s:
        # No more requests than cores, however many queries: each keeps its memory. list.pop and append are atomic: a
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
        feed = padded(tokens, self._inputs, self._pad_id, self._padded_length(len(tokens[0])))
        for name, values in feed.items():  # in place: handing them to `infer` copies each, in 0.2 ms
            request.set_tensor(name, openvino.Tensor(values, shared_memory=True))
        request.infer()
        return np.array(request.get_output_tensor(0).data, dtype=np.float32)

    def _padded_length(self, num_tokens: int) -> int:
        length = max(_LEAST_TOKENS, -(-num_tokens // TOKEN_STEP) * TOKEN_STEP)
        return length if self._max_tokens is None else min(length, self._max_tokens)

    def _encode_bulk(self, tokens: list[Tokens]) -> Float32s:
        embeddings = np.empty((len(tokens), self._dim), dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            embeddings[rows] = request.get_output_tensor(0).data

        with self._bulk_lock:
            if self._bulk is None:
                compiled = self._core.compile_model(self._model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
                num_requests = 2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
                self._bulk = openvino.AsyncInferQueue(compiled, num_requests)
                self.release_weights()
            self._bulk.set_callback(keep)
            for rows in batches_of_similar_length([len(text) for text in tokens], _TOKENS_PER_BATCH):
                self._bulk.start_async(padded([tokens[row] for row in rows], self._inputs, self._pad_id), rows)
            self._bulk.wait_all()
        return embeddings
