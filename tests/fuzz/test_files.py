"""Files of any bytes, and real ones with damage: a table or vectors that are sound, or a `RetrievalError`."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from retrieval import RetrievalError
from retrieval.corpus.files import PlainFileCorpus
from retrieval.corpus.readers.base import ReadOptions
from retrieval.indexing.any_vectors import open_any_vectors
from tests.fuzz.cases import assert_sentence, cases, counted

ROWS = [{"text": f"a text, number {n}", "body": "a;\"b'\n c", "score": n / 7, "many": [n, 1.5]} for n in range(12)]
TABLES = (
    ".csv", ".tsv", ".jsonl", ".json", ".parquet", ".arrow", ".feather", ".xlsx", ".sqlite", ".md", ".txt", ".csv.gz",
    ".jsonl.zip",
)  # fmt: skip
VECTORS = (".npy", ".npz", ".fvecs")
LIMITS = ReadOptions(max_unpacked_bytes=1_000_000)


def _parquet() -> bytes:
    out = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), out)
    return out.getvalue()


def _arrow() -> bytes:
    table, out = pa.Table.from_pylist(ROWS), io.BytesIO()
    with pa.ipc.new_file(out, table.schema) as writer:
        writer.write_table(table)
    return out.getvalue()


def _workbook() -> bytes:
    book, out = openpyxl.Workbook(), io.BytesIO()
    for row in ROWS:
        book.active.append([row["text"], row["score"]])  # type: ignore[union-attr]
    book.save(out)
    return out.getvalue()


def _database() -> bytes:
    with sqlite3.connect(":memory:") as connection:
        connection.execute("create table notes (text, score)")
        connection.executemany("insert into notes values (?, ?)", [(row["text"], row["score"]) for row in ROWS])
        connection.commit()
        content = connection.serialize()
    connection.close()
    return content


def _csv() -> bytes:
    return b"text,score\n" + b"".join(f'"{row["text"]}",{row["score"]}\n'.encode() for row in ROWS)


def _lines() -> bytes:
    return "".join(json.dumps(row) + "\n" for row in ROWS).encode()


def _zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("rows.jsonl", _lines())
    return out.getvalue()


def _numpy(save: Callable[..., None]) -> bytes:
    out = io.BytesIO()
    save(out, np.random.default_rng(0).standard_normal((12, 8)).astype(np.float32))
    return out.getvalue()


def _fvecs() -> bytes:
    rows = np.random.default_rng(0).standard_normal((12, 8)).astype("<f4")
    return b"".join(np.int32(8).tobytes() + row.tobytes() for row in rows)


REAL: dict[str, bytes] = {
    ".csv": _csv(), ".tsv": _csv().replace(b",", b"\t"), ".jsonl": _lines(), ".json": json.dumps(ROWS).encode(),
    ".parquet": _parquet(), ".arrow": _arrow(), ".feather": _arrow(), ".xlsx": _workbook(), ".sqlite": _database(),
    ".md": b"# A head\n\nA text.\n\n## Another\n\n- a list\n", ".txt": b"one line\nand another\n",
    ".csv.gz": gzip.compress(_csv(), mtime=0), ".jsonl.zip": _zip(),
    ".npy": _numpy(np.save), ".npz": _numpy(np.savez), ".fvecs": _fvecs(),
}  # fmt: skip


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """Returns a content with some bytes changed, cut out, or put in."""
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(changed)))
        kind = data.draw(st.sampled_from(["change", "cut", "insert", "end"]))
        if kind == "change" and place < len(changed):
            changed[place] = data.draw(st.integers(0, 255))
        elif kind == "cut":
            del changed[place : place + data.draw(st.integers(1, 20))]
        elif kind == "insert":
            changed[place:place] = data.draw(st.binary(min_size=1, max_size=20))
        else:
            del changed[place:]
    return bytes(changed)


def assert_sound_table(path: Path) -> None:
    """Reads a table as it is read for a visitor."""
    corpus = PlainFileCorpus(path, options=LIMITS)
    try:
        _ = corpus.sample.to_pylist(), corpus.columns, corpus.notes, corpus.num_rows, corpus.info
        for batch in islice(corpus.batches(), 5):
            batch.validate(full=True)
            assert "text" in batch.schema.names
            batch["text"].to_pylist()
    except RetrievalError as error:
        assert_sentence(error)


def assert_sound_vectors(path: Path) -> None:
    """Opens vectors as they are opened for a visitor."""
    try:
        vectors = open_any_vectors(path, None, 100)
        count = min(len(vectors), 100)
        found = vectors.read(0, count)
    except RetrievalError as error:
        assert_sentence(error)
    else:
        assert found.dtype == np.float32
        assert found.shape == (count, vectors.dim)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("files")


@pytest.mark.parametrize("suffix", TABLES)
def test_the_files_that_are_damaged_are_read_when_they_are_whole(home: Path, suffix: str) -> None:
    path = home / f"whole{suffix}"
    path.write_bytes(REAL[suffix])
    assert sum(batch.num_rows for batch in PlainFileCorpus(path, options=LIMITS).batches()) >= 2


@cases(60)
@given(
    st.sampled_from((*TABLES, *VECTORS)),
    st.binary(max_size=300) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")),
)
@counted
def test_any_bytes(home: Path, suffix: str, content: bytes) -> None:
    path = home / f"any{suffix}"
    path.write_bytes(content)
    (assert_sound_vectors if suffix in VECTORS else assert_sound_table)(path)


@cases(120)
@given(st.sampled_from((*TABLES, *VECTORS)), st.data())
@counted
def test_real_files_with_damage(home: Path, suffix: str, data: st.DataObject) -> None:
    path = home / f"damaged{suffix}"
    path.write_bytes(damaged(REAL[suffix], data))
    (assert_sound_vectors if suffix in VECTORS else assert_sound_table)(path)


@cases(25)
@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=9)), st.booleans())
@counted
def test_arrays_of_any_type_and_shape(home: Path, array: Any, is_by_columns: bool) -> None:
    path = home / "array.npy"
    np.save(path, np.asfortranarray(array) if is_by_columns else array)
    assert_sound_vectors(path)
