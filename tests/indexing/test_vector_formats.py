"""Vectors as people have them: int8, bfloat16, `.npz`, `.fvecs`; and packed bits, which are told apart from vectors."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BuildOptions, BuildProgress, ModelError, Searcher, VectorsError, build_index
from retrieval.indexing.npy_vectors import NpyVectors
from retrieval.indexing.vector_formats import open_vectors
from retrieval.quantization import Float32s
from tests.conftest import FakeEncoder, RowsCorpus, random_texts

COUNT, DIM = 120, 64
TEXTS = random_texts(COUNT)
VECTORS = FakeEncoder(DIM).encode(TEXTS)


def as_int8(vectors: Float32s) -> Any:
    """Returns codes as services for embeddings make them: one range for all dimensions."""
    return np.rint(vectors / np.abs(vectors).max() * 127).astype(np.int8)


def as_bfloat16(vectors: Float32s) -> Any:
    """Returns what numpy makes of the bfloat16 of ml_dtypes."""
    return (np.ascontiguousarray(vectors).view(np.uint32) >> 16).astype(np.uint16).view("V2")


def write_fvecs(path: Path, vectors: Float32s) -> Path:
    counts = np.full((len(vectors), 1), vectors.shape[1], "<i4").view("<f4")
    np.hstack([counts, vectors.astype("<f4")]).tofile(path)
    return path


def saved(path: Path, vectors: Any) -> Path:
    np.save(path, vectors)
    return path


def savez(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def savez_compressed(path: Path, **arrays: Any) -> Path:
    np.savez_compressed(path, **arrays)
    return path


WRITERS = {
    "fvecs": lambda folder: write_fvecs(folder / "v.fvecs", VECTORS),
    "npz": lambda folder: savez(folder / "v.npz", vectors=VECTORS),
    "npz, compressed": lambda folder: savez_compressed(folder / "v.npz", vectors=VECTORS),
    "npz, by columns": lambda folder: savez(folder / "v.npz", vectors=np.asfortranarray(VECTORS)),
    "int8": lambda folder: saved(folder / "v.npy", as_int8(VECTORS)),
    "bfloat16": lambda folder: saved(folder / "v.npy", as_bfloat16(VECTORS)),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_rows_are_those_that_were_written(tmp_path: Path, kind: str) -> None:
    vectors = open_vectors(WRITERS[kind](tmp_path))
    assert (len(vectors), vectors.dim) == (COUNT, DIM)
    rows = np.array([0, 3, 4, 70, COUNT - 1])
    found = vectors.gather(rows)
    assert found.dtype == np.float32
    cosines = (found * VECTORS[rows]).sum(axis=1) / np.linalg.norm(found, axis=1)
    assert cosines.min() > (0.9999 if kind in ("int8", "bfloat16") else 0.9999999)
    if kind not in ("int8", "bfloat16"):
        assert np.array_equal(vectors.read(5, 90), VECTORS[5:90])


@pytest.mark.parametrize("kind", WRITERS)
def test_an_index_of_them_is_searched_by_text(tmp_path: Path, kind: str) -> None:
    encoder, notes = FakeEncoder(DIM), list[str]()

    def listen(step: BuildProgress) -> None:
        if step.phase == "note":
            notes.append(step.message)

    options = BuildOptions(embeddings=WRITERS[kind](tmp_path))
    corpus = RowsCorpus([{"text": text} for text in TEXTS])
    bundle = build_index(corpus, encoder, tmp_path / "index", options, listen)
    searcher = Searcher.open(bundle.path, encoder=encoder)
    assert [searcher.search(TEXTS[row]).hits[0].row for row in (0, 50, 119)] == [0, 50, 119]
    assert any("int8" in note and "unchanged" in note for note in notes) == (kind == "int8")
    assert any("bfloat16" in note for note in notes) == (kind == "bfloat16")


class TestPackedBits:
    def test_unsigned_ones_are_refused_with_what_unpacks_them(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "ubinary.npy", np.packbits(VECTORS > 0, axis=1))
        with pytest.raises(VectorsError, match=r"uint8: packed bits .*numpy\.unpackbits\(codes, axis=1\) \* 2.0 - 1"):
            open_vectors(path)

    def test_signed_ones_are_not_taken_for_vectors(self, tmp_path: Path) -> None:
        signed = (np.packbits(VECTORS > 0, axis=1).astype(int) - 128).astype(np.int8)
        path = saved(tmp_path / "binary.npy", signed)
        corpus = RowsCorpus([{"text": text} for text in TEXTS])
        for encoder in (None, FakeEncoder(DIM)):
            with pytest.raises(VectorsError, match=r"look like packed bits \(binary\).*numpy\.unpackbits"):
                build_index(corpus, encoder, tmp_path / "index", BuildOptions(embeddings=path))

    def test_the_advice_makes_vectors_that_are_taken(self, tmp_path: Path) -> None:
        signed = (np.packbits(VECTORS > 0, axis=1).astype(int) - 128).astype(np.int8)
        unpacked = np.unpackbits((signed.astype(int) + 128).astype(np.uint8), axis=1) * 2.0 - 1
        found = open_vectors(saved(tmp_path / "v.npy", unpacked)).read(0, COUNT)
        assert np.array_equal(found, np.where(VECTORS > 0, 1.0, -1.0))

    def test_a_wrong_dimension_in_int8_is_reported_as_such(self, tmp_path: Path) -> None:
        path = saved(tmp_path / "v.npy", as_int8(VECTORS))
        with pytest.raises(ModelError, match="have 64 dimensions, those of fake have 96"):
            build_index(RowsCorpus([{"text": "a"}]), FakeEncoder(96), tmp_path / "index", BuildOptions(embeddings=path))


class TestDamage:
    @pytest.mark.parametrize("kept", [0, 3, 4, 100, -1])
    def test_fvecs_cut_short(self, tmp_path: Path, kept: int) -> None:
        path = write_fvecs(tmp_path / "v.fvecs", VECTORS)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(VectorsError, match=r"is not an \.fvecs file, or is cut short"):
            open_vectors(path)

    def test_fvecs_with_a_row_of_another_length(self, tmp_path: Path) -> None:
        path = write_fvecs(tmp_path / "v.fvecs", VECTORS)
        content = bytearray(path.read_bytes())
        content[4 * (DIM + 1) * 7] = 65
        path.write_bytes(content)
        with pytest.raises(VectorsError, match="not every vector has 64 dimensions"):
            open_vectors(path).read(0, COUNT)

    @pytest.mark.parametrize("names", [[], ["a", "b"]])
    def test_an_archive_of_other_than_one_array(self, tmp_path: Path, names: list[str]) -> None:
        path = savez(tmp_path / "v.npz", **dict.fromkeys(names, VECTORS))
        with pytest.raises(VectorsError, match=f"of {len(names)} arrays|cannot read|is not an .npy file"):
            open_vectors(path)

    @pytest.mark.parametrize("write", [savez, savez_compressed])
    def test_an_archive_with_a_byte_altered_or_cut_is_read_or_refused(self, tmp_path: Path, write: Any) -> None:
        content = write(tmp_path / "v.npz", vectors=VECTORS[:10]).read_bytes()
        rng = np.random.default_rng(0)
        for number, place in enumerate(rng.integers(0, len(content), 300).tolist()):
            altered = bytearray(content)
            altered[place] ^= 1 << int(rng.integers(8))
            path = tmp_path / f"{number}.npz"
            path.write_bytes(altered if number % 3 else content[:place])
            with suppress(VectorsError):
                open_vectors(path).read(0, 1)

    def test_a_header_with_a_bit_altered_is_read_or_refused(self, tmp_path: Path) -> None:
        content = saved(tmp_path / "v.npy", VECTORS[:10]).read_bytes()
        for place in range(128):
            for bit in range(8):
                altered = bytearray(content)
                altered[place] ^= 1 << bit
                path = tmp_path / "altered.npy"
                path.write_bytes(altered)
                with suppress(VectorsError):
                    NpyVectors.open(path).read(0, 1)

    def test_pickles_in_an_archive_are_never_loaded(self, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> Any:
                return (Path.mkdir, (tmp_path / "sprung",))

        np.savez(tmp_path / "v.npz", vectors=np.array([Trap()] * 8, dtype=object))
        with pytest.raises(VectorsError, match="pickled objects, which are never loaded"):
            open_vectors(tmp_path / "v.npz")
        assert not (tmp_path / "sprung").exists()
