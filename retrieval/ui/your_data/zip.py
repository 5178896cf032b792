"""A built index as one file to take away."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from retrieval.bundle.manifest import MANIFEST_FILE, Manifest

_COMPRESSED = ("documents/documents.arrow", MANIFEST_FILE)
"""Texts shrink; vectors and bits hardly do."""
_README = """An index for semantic search, built from {title}: {rows:,} documents.

Unpack this file and open the folder `{name}` with the program that made it
(the idea comes from https://huggingface.co/blog/embedding-quantization):

    from retrieval import Searcher
    searcher = Searcher.open("{name}")
    for hit in searcher.search("your question").hits:
        print(hit.rank, round(hit.score, 3), hit.document.text)

or serve it as a page:

    python app.py --index {name}

binary.faiss      the sign bits of every document: all that searches keep in memory
int8.usearch      int8 vectors, read for the few candidates of a query
embeddings.npy    float32 vectors, for exact searches and measurements; searches do not need it
documents/        your texts
manifest.json     the model ({model}), the settings that were chosen, and a checksum of every file
"""


def folder_name(title: str) -> str:
    """Returns a name for a folder, after what the visitor called the data."""
    name = re.sub(r"[^\w-]+", "-", Path(title).stem, flags=re.ASCII).strip("-").lower()
    return f"{name[:40].strip('-') or 'my'}-index"


def write_zip(bundle: Path, target: Path) -> Path:
    """Writes the index in a folder into the zip `target`, and returns that path.

    Raises:
        BundleError: if the folder holds no index.
        OSError: if the file cannot be written.
    """
    manifest = Manifest.read(bundle)
    name = folder_name(manifest.corpus.title)
    readme = _README.format(title=manifest.corpus.title, rows=manifest.row_count, name=name, model=manifest.model_id)
    unfinished = target.with_suffix(".part")
    with zipfile.ZipFile(unfinished, "w") as archive:
        archive.writestr(f"{name}/README.txt", readme, zipfile.ZIP_DEFLATED)
        for file in (*manifest.files, MANIFEST_FILE):
            kind = zipfile.ZIP_DEFLATED if file in _COMPRESSED else zipfile.ZIP_STORED
            archive.write(bundle / file, f"{name}/{file}", kind, compresslevel=6)
    return unfinished.replace(target)
