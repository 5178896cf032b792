"""Reading other people's `.npy` files: the numbers numpy would give, and a named error for everything else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import VectorsError
from retrieval.indexing.npy_vectors import NpyVectors

VECTORS = np.random.default_rng(0).standard_normal((50, 12))


def saved(folder: Path, array: Any, **options: Any) -> Path:
    np.save(folder / "vectors.npy", array, **options)
    return folder / "vectors.npy"


class TestReading:
    @pytest.mark.parametrize("dtype", ["<f2", ">f2", "<f4", ">f4", "<f8", ">f8"])
    @pytest.mark.parametrize("order", ["C", "F"])
    def test_rows_are_those_numpy_reads(self, tmp_path: Path, dtype: str, order: Any) -> None:
        array = np.asarray(VECTORS.astype(dtype), order=order)
        vectors = NpyVectors.open(saved(tmp_path, array))
        assert (len(vectors), vectors.dim) == (50, 12)
        assert np.array_equal(vectors.read(7, 31), array[7:31].astype(np.float32))
        assert vectors.read(0, 50).dtype == np.float32

    @pytest.mark.parametrize("window_bytes", [1, 200, 1 << 20])
    def test_rows_far_apart_are_gathered(self, tmp_path: Path, window_bytes: int) -> None:
        rows = np.array([0, 1, 5, 6, 20, 49])
        vectors = NpyVectors.open(saved(tmp_path, VECTORS.astype(np.float32)))
        assert np.array_equal(vectors.gather(rows, window_bytes), VECTORS[rows].astype(np.float32))

    def test_one_vector_is_a_row_where_that_is_asked_for(self, tmp_path: Path) -> None:
        path = saved(tmp_path, VECTORS[3])
        assert np.allclose(NpyVectors.open(path, may_be_one=True).read(0, 1), VECTORS[3:4])
        with pytest.raises(VectorsError, match="1 dimensions, shape"):
            NpyVectors.open(path)

    def test_a_file_that_is_replaced_in_between_is_noticed(self, tmp_path: Path) -> None:
        path = saved(tmp_path, VECTORS)
        vectors = NpyVectors.open(path)
        np.save(tmp_path / "other.npy", VECTORS)
        (tmp_path / "other.npy").replace(path)
        with pytest.raises(VectorsError, match="was changed while it was read: run the same command again"):
            vectors.read(0, 3)

    def test_a_number_that_float32_cannot_hold_is_infinite_without_a_warning(self, tmp_path: Path) -> None:
        assert np.isinf(NpyVectors.open(saved(tmp_path, np.full((1, 8), 1e300))).read(0, 1)).all()

    def test_only_the_rows_asked_for_are_read(self, tmp_path: Path) -> None:
        """A sparse file of 40 GB: reading it whole would take all memory."""
        path = tmp_path / "big.npy"
        with path.open("wb") as file:
            header = {"descr": "<f4", "fortran_order": False, "shape": (10_000_000, 1000)}
            np.lib.format.write_array_header_1_0(file, header)
            start = file.tell()
        os.truncate(path, start + 4 * 1000 * 10_000_000)
        assert not NpyVectors.open(path).gather(np.array([0, 9_999_999])).any()


class TestRefusals:
    @pytest.mark.parametrize(
        ("array", "message"),
        [
            (VECTORS[0], "an array of 1 dimensions.*one vector per row"),
            (VECTORS.reshape(5, 10, 12), "an array of 3 dimensions.*pool them first"),
            (np.float32(3), "an array of 0 dimensions"),
            (np.empty((0, 12)), "is empty.*at least one vector"),
            (np.empty((12, 0)), "at least 8 dimensions"),
            (VECTORS[:, :7], r"shape \(50, 7\): vectors of at least 8 dimensions.*save its transpose"),
            (VECTORS.astype(np.int16), "int16: whole numbers are codes.*float32 or float16 numbers are needed"),
            (VECTORS.astype(np.uint8), r"uint8: packed bits .*numpy\.unpackbits"),
            (VECTORS > 0, "bool: whole numbers are codes"),
            (VECTORS.astype(complex), "complex128.*float32 or float16 numbers are needed"),
            (np.array([["a"] * 8]), "<U1.*float32 or float16"),
            (np.zeros(3, dtype=[("x", "f4", 8)]), "float32 or float16 numbers are needed"),
        ],
        ids=str,
    )
    def test_other_arrays(self, tmp_path: Path, array: Any, message: str) -> None:
        with pytest.raises(VectorsError, match=message):
            NpyVectors.open(saved(tmp_path, array))

    def test_pickled_objects_are_never_loaded(self, tmp_path: Path) -> None:
        class Trap:
            def __reduce__(self) -> Any:
                return (os.mkdir, (str(tmp_path / "sprung"),))

        path = saved(tmp_path, np.array([Trap()] * 8, dtype=object), allow_pickle=True)
        with pytest.raises(VectorsError, match=r"pickled objects, which are never loaded.*numpy\.save"):
            NpyVectors.open(path)
        assert not (tmp_path / "sprung").exists()

    @pytest.mark.parametrize("content", [b"", b"\x93NUM", b"text,number\na,1\n", b"\x80\x04pickle", b"\x93NUMPY\x09\0"])
    def test_a_file_of_another_format(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "vectors.npy").write_bytes(content)
        with pytest.raises(VectorsError, match=r"is not an \.npy file.*numpy\.save"):
            NpyVectors.open(tmp_path / "vectors.npy")

    def test_an_archive_of_arrays(self, tmp_path: Path) -> None:
        np.savez(tmp_path / "vectors.npz", VECTORS)
        with pytest.raises(VectorsError, match=r"a zip archive, as numpy\.savez writes"):
            NpyVectors.open(tmp_path / "vectors.npz")

    @pytest.mark.parametrize("kept", [20, 100, 128, 200, -1])
    def test_a_truncated_file(self, tmp_path: Path, kept: int) -> None:
        path = saved(tmp_path, VECTORS)
        path.write_bytes(path.read_bytes()[:kept])
        with pytest.raises(
            VectorsError, match=r"is cut short: it has .* bytes, 4,928 are expected|is not an \.npy file"
        ):
            NpyVectors.open(path)

    def test_a_missing_file_and_a_folder(self, tmp_path: Path) -> None:
        with pytest.raises(VectorsError, match="No such file"):
            NpyVectors.open(tmp_path / "none.npy")
        with pytest.raises(VectorsError, match="Is a directory"):
            NpyVectors.open(tmp_path)
