"""The second pass of a build: vectors for the distinct texts, resumably.

Vectors are appended to a plain file, chunk by chunk, with a checkpoint after each chunk. A killed build continues
from the last checkpoint, if it has the same inputs.
"""

from __future__ import annotations

import json
from pathlib import Path

from retrieval.bundle.files import sync, write_json
from retrieval.indexing.folder import PROGRESS_FILE, TEXTS_FILE, VECTORS_FILE
from retrieval.indexing.ingestion import Ingested
from retrieval.indexing.progress import BuildProgress, Report
from retrieval.indexing.vector_file import VectorFile
from retrieval.indexing.vector_source import VectorSource


def write_vectors(
    work: Path, ingested: Ingested, source: VectorSource, fingerprint: str, checkpoint_texts: int, report: Report
) -> VectorFile:
    """Returns the vectors of the distinct texts in the build folder `work`, continuing where a killed build stopped.

    Args:
        work: the build folder, which holds the distinct texts.
        ingested: what the first pass found.
        source: where the vectors come from.
        fingerprint: what the vectors depend on; those with another fingerprint are dropped.
        checkpoint_texts: vectors between two checkpoints.
        report: called with the progress.

    Raises:
        ModelError, VectorsError: if the source does not give finite vectors of its dimension.
        OSError: if the disk is full, or a file cannot be written.
    """
    total = ingested.distinct_text_count
    done = _resume_point(work, fingerprint, source, report)
    vectors = VectorFile(work / VECTORS_FILE, total, source.dim)
    vectors.truncate(done)
    report(BuildProgress(source.phase, done, total))
    for chunk in source.chunks(ingested, work / TEXTS_FILE, skip=done, size=checkpoint_texts):
        vectors.append(chunk)
        done += len(chunk)
        write_json(work / PROGRESS_FILE, {"fingerprint": fingerprint, "done": done})
        report(BuildProgress(source.phase, done, total))
    return vectors


def _resume_point(work: Path, fingerprint: str, source: VectorSource, report: Report) -> int:
    try:
        noted = json.loads((work / PROGRESS_FILE).read_text())
        same, done = noted["fingerprint"] == fingerprint, int(noted["done"])
    except FileNotFoundError:
        return 0
    except (ValueError, KeyError, TypeError):
        same, done = False, 0
    if not same or not (work / VECTORS_FILE).exists():
        report(BuildProgress("note", message="The unfinished build here had other inputs: starting over."))
        # Before the vectors change: a kill in between must not leave this checkpoint with vectors of other inputs.
        (work / PROGRESS_FILE).unlink(missing_ok=True)
        sync(work)
        return 0
    have = "texts are encoded" if source.phase == "encoding" else "vectors are copied"
    report(BuildProgress("note", message=f"Continuing the unfinished build: {done:,} {have} already."))
    return done
