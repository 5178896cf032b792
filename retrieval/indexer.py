"""Builds a bundle from a corpus: read, encode, quantize, write; in bounded memory, and resumable.

Everything is made in `NAME.building` beside the target, and renamed at the end: a half-built index is never opened,
and an existing one serves until the new one is whole. A build that is killed goes on with the vectors it has when it is
run again with the same corpus, columns and model.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import json
import platform
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.binary_index import write_binary_index
from retrieval.build_folder import TEXTS_FILE, build_folder, check_target, disk_errors, swap
from retrieval.build_progress import BuildProgress, Report
from retrieval.bundle import (
    BINARY_FILE,
    DOCUMENTS_FILE,
    EMBEDDINGS_FILE,
    INT8_FILE,
    MANIFEST_FILE,
    Bundle,
    FileRecord,
    Manifest,
    sync,
)
from retrieval.corpus.base import Corpus
from retrieval.embedding import encode_texts
from retrieval.encoder import Encoder
from retrieval.ingestion import Ingested, ingest
from retrieval.int8_store import write_int8_store
from retrieval.quantization import Float32s, Int8Quantizer, binarize
from retrieval.results import SearchSettings
from retrieval.vector_file import VectorFile

_CHUNK_ROWS = 32_768
"""Vectors in RAM at once after encoding: 50 MB at 384 dimensions."""
_PACKAGES = ("faiss-cpu", "usearch", "numpy", "pyarrow", "openvino", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """What a build may be told."""

    limit: int | None = None
    """Read at most this many rows."""
    overwrite: bool = False
    baseline: bool = True
    """Keep the float32 embeddings, which the exact search and the measurements need."""
    columns: Mapping[str, str] = field(default_factory=dict)
    """Which column of the source became which, for the manifest and the fingerprint."""


def build_index(
    corpus: Corpus,
    encoder: Encoder,
    output: Path,
    options: BuildOptions | None = None,
    report: Report = lambda _: None,
) -> Bundle:
    """Builds the bundle `output` and returns it, opened.

    Raises:
        CorpusError: if the corpus cannot be read, or has no usable row.
        ModelError: if the encoder gives something else than finite vectors of its dimension.
        BuildError: if the target exists and may not be replaced, another build of it is running, or the disk is full.
    """
    options = options or BuildOptions()
    started = time.monotonic()
    with disk_errors(output):
        # A link to a folder stays a link: what it points to is replaced, on its own disk.
        output = output.resolve()
        check_target(output, overwrite=options.overwrite)
    with disk_errors(output), build_folder(output) as work:
        (work / DOCUMENTS_FILE).parent.mkdir(exist_ok=True)
        ingested = ingest(
            corpus,
            work / DOCUMENTS_FILE,
            work / TEXTS_FILE,
            limit=options.limit,
            on_rows=lambda rows: report(BuildProgress("reading", rows, corpus.num_rows)),
        )
        if ingested.dropped_rows:
            report(BuildProgress("note", message=f"{ingested.dropped_rows:,} rows had no text and were left out."))
        vectors = encode_texts(work, ingested, encoder, _fingerprint(corpus, encoder, ingested, options), report)
        quantizer = _write_codes(work, ingested, vectors, options, report)
        _write_manifest(work, corpus, encoder, ingested, quantizer, options, time.monotonic() - started)
        check_target(output, overwrite=options.overwrite)
        swap(work, output)
    return Bundle.open(output)


def _fingerprint(corpus: Corpus, encoder: Encoder, ingested: Ingested, options: BuildOptions) -> str:
    parts = {
        "corpus": corpus.info.name,
        "content": ingested.content_sha256,
        "columns": dict(options.columns),
        "weights": encoder.weights_sha256,
        "dim": encoder.dim,
    }
    return json.dumps(parts, sort_keys=True)


def _write_codes(
    work: Path, ingested: Ingested, vectors: VectorFile, options: BuildOptions, report: Report
) -> Int8Quantizer:
    quantizer = Int8Quantizer.fit(vectors.batches(_CHUNK_ROWS))
    unique = ingested.distinct_text_count == ingested.row_count

    def rows(file: str) -> Iterator[Float32s]:
        report(BuildProgress("writing", message=file))
        return vectors.batches(_CHUNK_ROWS) if unique else vectors.gather(ingested.text_ids, _CHUNK_ROWS)

    write_binary_index(work / BINARY_FILE, vectors.dim, (binarize(batch) for batch in rows(BINARY_FILE)))
    write_int8_store(work / INT8_FILE, vectors.dim, (quantizer.encode(batch) for batch in rows(INT8_FILE)))
    # A killed build may have left a second name of the vectors here: writing to it would change them.
    (work / EMBEDDINGS_FILE).unlink(missing_ok=True)
    if options.baseline:
        _write_baseline(work / EMBEDDINGS_FILE, ingested.text_ids, vectors, unique=unique)
    return quantizer


def _write_baseline(path: Path, text_ids: npt.NDArray[np.int32], vectors: VectorFile, *, unique: bool) -> None:
    if unique:
        try:
            # Not a move: a build that is killed from here on still finds its vectors.
            path.hardlink_to(vectors.path)
            return
        except OSError:
            path.unlink(missing_ok=True)  # no hard links on this file system: write them out
    target = VectorFile(path, len(text_ids), vectors.dim)
    target.truncate(0)
    for batch in vectors.gather(text_ids, _CHUNK_ROWS):
        target.append(batch)


def _write_manifest(
    work: Path,
    corpus: Corpus,
    encoder: Encoder,
    ingested: Ingested,
    quantizer: Int8Quantizer,
    options: BuildOptions,
    build_seconds: float,
) -> None:
    names = [BINARY_FILE, INT8_FILE, DOCUMENTS_FILE] + ([EMBEDDINGS_FILE] if options.baseline else [])
    settings = SearchSettings()
    manifest = Manifest(
        corpus=corpus.info,
        row_count=ingested.row_count,
        distinct_text_count=ingested.distinct_text_count,
        group_count=ingested.group_count,
        dropped_rows=ingested.dropped_rows,
        model_id=encoder.model_id,
        weights_sha256=encoder.weights_sha256,
        dim=encoder.dim,
        int8=quantizer.to_json(),
        search={
            "num_candidates": settings.num_candidates,
            "rescore_multiplier": settings.rescore_multiplier,
            "source": "default",
        },
        files={name: FileRecord.of(work / name) for name in names},
        versions={"python": platform.python_version(), **_versions()},
        built_at=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        build_seconds=round(build_seconds, 1),
        columns=dict(options.columns),
    )
    for name in names:
        sync(work / name)
    (work / MANIFEST_FILE).write_text(manifest.to_json(), encoding="utf-8")
    sync(work / MANIFEST_FILE)
    sync(work)


def _versions() -> dict[str, str]:
    found = {}
    for package in _PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
