"""Builds a bundle from a corpus: read, encode, quantize, write; in bounded memory, and resumable.

Everything is made in `NAME.building` beside the target, and renamed at the end: a half-built index is never opened,
and an existing one serves until the new one is whole. Embeddings are appended to a plain file, chunk by chunk, and
what was brought to the disk is noted after each chunk. A build that is killed goes on from the last note when it is
run again with the same corpus, columns and model.
"""

from __future__ import annotations

import datetime
import errno
import importlib.metadata
import json
import platform
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import numpy.typing as npt

from retrieval.binary_index import write_binary_index
from retrieval.build_folder import (
    NEW_PROGRESS_FILE,
    PROGRESS_FILE,
    TEXTS_FILE,
    VECTORS_FILE,
    build_folder,
    check_target,
    swap,
)
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
from retrieval.encoder import Encoder
from retrieval.errors import BuildError, ModelError
from retrieval.ingestion import Ingested, ingest, read_texts
from retrieval.int8_store import write_int8_store
from retrieval.quantization import Float32s, Int8Quantizer, binarize
from retrieval.results import SearchSettings
from retrieval.vector_file import VectorFile

_CHUNK_TEXTS = 4096
"""Texts encoded between two notes of progress: what a kill costs at most."""
_CHUNK_ROWS = 32_768
"""Vectors in RAM at once after encoding: 50 MB at 384 dimensions."""
_HARDLY_ANY_BYTES = 1 << 16
_PACKAGES = ("faiss-cpu", "usearch", "numpy", "pyarrow", "openvino", "sentence-transformers", "torch")


@dataclass(frozen=True, slots=True)
class BuildProgress:
    """How far a build is."""

    phase: str
    """`reading`, `encoding`, `writing` or `note`."""
    done: int = 0
    total: int | None = None
    message: str = ""
    """For the phase `note`: what the user should know."""


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


Report = Callable[[BuildProgress], None]


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
    with _foreign_errors(output):
        # A link to a folder stays a link: what it points to is replaced, on its own disk.
        output = output.resolve()
        check_target(output, overwrite=options.overwrite)
    with _foreign_errors(output), build_folder(output) as work:
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
        vectors = _encode_texts(work, ingested, encoder, _fingerprint(corpus, encoder, ingested, options), report)
        quantizer = _write_codes(work, ingested, vectors, options, report)
        _write_manifest(work, corpus, encoder, ingested, quantizer, options, time.monotonic() - started)
        check_target(output, overwrite=options.overwrite)
        swap(work, output)
    return Bundle.open(output)


@contextmanager
def _foreign_errors(output: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if _is_full(error, output.parent):
            raise BuildError(
                f"the disk is full at {output.parent}: free some space and run the same command again; "
                f"it goes on where it was."
            ) from error
        raise BuildError(f"cannot write the index at {output}: {error}") from error


def _is_full(error: OSError, folder: Path) -> bool:
    if error.errno in (errno.ENOSPC, errno.EDQUOT) or "No space left" in str(error):
        return True
    # Not every engine says why it could not write.
    return error.errno is None and shutil.disk_usage(folder).free < _HARDLY_ANY_BYTES


def _fingerprint(corpus: Corpus, encoder: Encoder, ingested: Ingested, options: BuildOptions) -> str:
    parts = {
        "corpus": corpus.info.name,
        "content": ingested.content_sha256,
        "columns": dict(options.columns),
        "weights": encoder.weights_sha256,
        "dim": encoder.dim,
    }
    return json.dumps(parts, sort_keys=True)


def _encode_texts(work: Path, ingested: Ingested, encoder: Encoder, fingerprint: str, report: Report) -> VectorFile:
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
