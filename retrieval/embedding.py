"""The second pass of a build: vectors for the distinct texts, resumably.

Vectors are appended to a plain file, chunk by chunk, and what was brought to the disk is noted after each chunk. A
build that is killed goes on from the last note, if it is of the same inputs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from retrieval.build_folder import NEW_PROGRESS_FILE, PROGRESS_FILE, TEXTS_FILE, VECTORS_FILE
from retrieval.build_progress import BuildProgress, Report
from retrieval.bundle import sync
from retrieval.encoder import Encoder
from retrieval.errors import ModelError
from retrieval.ingestion import Ingested, read_texts
from retrieval.quantization import Float32s
from retrieval.vector_file import VectorFile

_CHUNK_TEXTS = 4096
"""Texts encoded between two notes of progress: what a kill costs at most."""


def encode_texts(work: Path, ingested: Ingested, encoder: Encoder, fingerprint: str, report: Report) -> VectorFile:
    """Returns the vectors of the distinct texts in the build folder `work`, going on where a killed build was.

    Args:
        work: the build folder, which holds the distinct texts.
        ingested: what the first pass found.
        encoder: the model.
        fingerprint: what the vectors depend on; those of another fingerprint are dropped.
        report: is told what is done.

    Raises:
        ModelError: if the encoder gives something else than finite vectors of its dimension.
        OSError: if the disk is full, or a file cannot be written.
    """
    total = ingested.distinct_text_count
    done = _resume_point(work, fingerprint, report)
    vectors = VectorFile(work / VECTORS_FILE, total, encoder.dim)
    vectors.truncate(done)
    report(BuildProgress("encoding", done, total))
    for texts in _chunks(read_texts(work / TEXTS_FILE), skip=done):
        vectors.append(_checked(encoder.encode(texts), len(texts), encoder))
        done += len(texts)
        _note(work / PROGRESS_FILE, {"fingerprint": fingerprint, "done": done})
        report(BuildProgress("encoding", done, total))
    return vectors


def _checked(embeddings: Float32s, num_texts: int, encoder: Encoder) -> Float32s:
    if embeddings.shape != (num_texts, encoder.dim) or not np.isfinite(embeddings).all():
        raise ModelError(
            f"the model {encoder.model_id} gave embeddings of shape {embeddings.shape} for {num_texts} texts: "
            f"finite numbers of shape {(num_texts, encoder.dim)} are needed. Choose another model."
        )
    return embeddings


def _resume_point(work: Path, fingerprint: str, report: Report) -> int:
    try:
        noted = json.loads((work / PROGRESS_FILE).read_text())
        same, done = noted["fingerprint"] == fingerprint, int(noted["done"])
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        same, done = False, 0
    if not same or not (work / VECTORS_FILE).exists():
        report(BuildProgress("note", message="The unfinished build here was of other inputs: starting afresh."))
        # Before the vectors change: a kill in between must not leave this note beside those of other inputs.
        (work / PROGRESS_FILE).unlink(missing_ok=True)
        sync(work)
        return 0
    report(BuildProgress("note", message=f"Going on with the unfinished build: {done:,} texts are encoded already."))
    return done


def _note(path: Path, values: dict[str, object]) -> None:
    fresh = path.with_name(NEW_PROGRESS_FILE)
    fresh.write_text(json.dumps(values))
    sync(fresh)
    fresh.replace(path)


def _chunks(batches: Iterator[list[str]], skip: int) -> Iterator[list[str]]:
    """Yields lists of `_CHUNK_TEXTS` texts, after leaving out the first `skip` ones."""
    waiting: list[str] = []
    for batch in batches:
        if skip >= len(batch):
            skip -= len(batch)
            continue
        waiting.extend(batch[skip:])
        skip = 0
        while len(waiting) >= _CHUNK_TEXTS:
            yield waiting[:_CHUNK_TEXTS]
            waiting = waiting[_CHUNK_TEXTS:]
    if waiting:
        yield waiting
