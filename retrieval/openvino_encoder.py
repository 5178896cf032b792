"""The embedding model on OpenVINO: converted once, then started from the cache without PyTorch."""

from __future__ import annotations

import json
import mmap
import os
import shutil
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import openvino
from tokenizers import Tokenizer

from retrieval.model_files import CONVERTED_FILES, ModelFiles, cached_model, converted_folder, sha256_of
from retrieval.quantization import Float32s

_TOKENS_PER_BATCH = 512
"""Batches of this many tokens are the fastest for a corpus: measured 128 to 2,048 on 2 cores."""
_WARM_UP_WORDS = 24
"""OpenVINO prepares itself anew for each length it meets: questions of up to this many words are met at the start."""


def convert_to_openvino(files: ModelFiles) -> Path:
    """Converts a sentence-transformers model, pooling and normalization included, and returns its folder in the cache.

    Raises:
        RuntimeError: if OpenVINO cannot convert the model.
        OSError: if the cache cannot be written.
    """
    from retrieval.torch_encoder import load_sentence_transformer, quiet, traceable_module

    model = load_sentence_transformer(files)
    module, example = traceable_module(model)
    with quiet():
        converted = openvino.convert_model(module, example_input=example)
    target = converted_folder(files.weights_sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="convert-", dir=target.parent))
    try:
        openvino.save_model(converted, work / "model.xml", compress_to_fp16=False)
        shutil.copyfile(files.folder / "tokenizer.json", work / "tokenizer.json")
        record = {
            "model_id": files.model_id,
            "weights_sha256": files.weights_sha256,
            "dim": model.get_embedding_dimension(),
            "max_tokens": model.max_seq_length,
            "inputs": sorted(example),
            "files": {name: sha256_of(work / name) for name in CONVERTED_FILES},
        }
        (work / "encoder.json").write_text(json.dumps(record, indent=1))
        # Another process may have put the same model there meanwhile, and have it open; an altered one gives way.
        if cached_model(files.weights_sha256) is None:
            shutil.rmtree(target, ignore_errors=True)
            work.replace(target)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return target


def _for_one_query() -> dict[str, Any]:
    # Threads that are pinned to cores are in the way of the Hamming scan, which uses the same cores right after.
    return {
        "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_NUM_THREADS": len(os.sched_getaffinity(0)),
        "ENABLE_CPU_PINNING": False,
    }


class OpenVinoEncoder:
    """An encoder that runs a converted model. One query uses all cores; a long list uses one core a batch."""

    note: str | None = None

    def __init__(self, folder: Path) -> None:
        """Opens the converted model in `folder`, which `cached_model` has verified."""
        record = json.loads((folder / "encoder.json").read_text())
        self.model_id: str = record["model_id"]
        self.weights_sha256: str = record["weights_sha256"]
        self.dim: int = record["dim"]
        self.max_tokens: int = record["max_tokens"]
        self.backend = f"OpenVINO {openvino.__version__.split('-')[0]}"
        self._inputs: list[str] = record["inputs"]
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(self.max_tokens)
        self._core = openvino.Core()
        with (folder / "model.bin").open("rb") as file:
            self._weights = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        weights = openvino.Tensor(np.frombuffer(self._weights, np.uint8), shared_memory=True)
        self._model = self._core.read_model((folder / "model.xml").read_bytes(), weights)
        self._for_queries = self._core.compile_model(self._model, "CPU", _for_one_query())
        self._requests: list[Any] = []
        self._bulk: Any = None
        self._bulk_lock = threading.Lock()
        for num_words in range(1, _WARM_UP_WORDS + 1):
            self.encode(["word " * num_words])
        self._release_weights()

    def __repr__(self) -> str:
        return f"OpenVinoEncoder({self.model_id}, {self.dim} dimensions)"

    def encode(self, texts: Sequence[str]) -> Float32s:
        """Returns float32 `(len(texts), dim)`, each row of length 1."""
        if len(texts) == 0:
            return np.empty((0, self.dim), dtype=np.float32)
        encodings = self._tokenizer.encode_batch_fast(list(texts))
        token_ids = [encoding.ids for encoding in encodings]
        if len(texts) == 1:
            return self._encode_query(token_ids)
        return self._encode_bulk(token_ids)

    def num_tokens_cut(self, text: str) -> int:
        """Returns how many tokens of `text` are beyond the model's length and are not seen."""
        [encoding] = self._tokenizer.encode_batch([text])
        return sum(part.special_tokens_mask.count(0) for part in encoding.overflowing)

    def _release_weights(self) -> None:
        # OpenVINO computes with a copy of its own, laid out for the processor. What it still wants of the file, such
        # as rows of the word table, is mapped again when touched: 90 MB of RAM less for all-MiniLM-L6-v2.
        if hasattr(mmap, "MADV_DONTNEED"):
            self._weights.madvise(mmap.MADV_DONTNEED)

    def _encode_query(self, token_ids: list[list[int]]) -> Float32s:
        # list.pop and append are atomic: a request is used by one thread at a time, and kept for the next query.
        try:
            request = self._requests.pop()
        except IndexError:
            request = self._for_queries.create_infer_request()
        try:
            request.infer(self._feed(token_ids))
            return np.array(request.get_output_tensor(0).data, dtype=np.float32)
        finally:
            self._requests.append(request)

    def _encode_bulk(self, token_ids: list[list[int]]) -> Float32s:
        embeddings = np.empty((len(token_ids), self.dim), dtype=np.float32)

        def keep(request: Any, rows: list[int]) -> None:
            embeddings[rows] = request.get_output_tensor(0).data

        with self._bulk_lock:
            if self._bulk is None:
                compiled = self._core.compile_model(self._model, "CPU", {"PERFORMANCE_HINT": "THROUGHPUT"})
                num_requests = 2 * compiled.get_property("OPTIMAL_NUMBER_OF_INFER_REQUESTS")
                self._bulk = openvino.AsyncInferQueue(compiled, num_requests)
                self._release_weights()
            self._bulk.set_callback(keep)
            for rows in _batches_of_similar_length([len(ids) for ids in token_ids]):
                self._bulk.start_async(self._feed([token_ids[row] for row in rows]), rows)
            self._bulk.wait_all()
        return embeddings

    def _feed(self, token_ids: list[list[int]]) -> dict[str, npt.NDArray[np.int64]]:
        shape = (len(token_ids), max(len(ids) for ids in token_ids))
        feed = {name: np.zeros(shape, dtype=np.int64) for name in self._inputs}
        for row, ids in enumerate(token_ids):
            feed["input_ids"][row, : len(ids)] = ids
            feed["attention_mask"][row, : len(ids)] = 1
        return feed


def _batches_of_similar_length(lengths: Sequence[int]) -> list[list[int]]:
    batches: list[list[int]] = []
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[row] > _TOKENS_PER_BATCH:
            batches.append(batch)
            batch = []
        batch.append(row)
    if batch:
        batches.append(batch)
    return batches
