"""The file of the sign bits is the one that faiss writes, and a damaged one is refused."""

from __future__ import annotations

from pathlib import Path

import faiss
import numpy as np
import pytest

from retrieval import BundleCorruptError, BundleIncompatibleError, BundleMissingError
from retrieval.bundle.binary_file import read_binary_codes, write_binary_index
from retrieval.quantization import Bits


def random_codes(count: int, num_bytes: int) -> Bits:
    return np.random.default_rng(0).integers(0, 256, (count, num_bytes), dtype=np.uint8)


def test_the_file_is_a_plain_faiss_index(tmp_path: Path) -> None:
    codes = random_codes(50, 48)
    write_binary_index(tmp_path / "binary.faiss", 384, [codes])
    index = faiss.read_index_binary(str(tmp_path / "binary.faiss"))
    assert type(index) is faiss.IndexBinaryFlat
    assert (index.ntotal, index.d) == (50, 384)


@pytest.mark.parametrize("count", [0, 1, 1000])
def test_the_bytes_are_those_that_faiss_writes(tmp_path: Path, count: int) -> None:
    codes = random_codes(count, 13)
    write_binary_index(tmp_path / "ours", 100, np.array_split(codes, 3))
    index = faiss.IndexBinaryFlat(104)
    index.add(codes)
    faiss.write_index_binary(index, str(tmp_path / "theirs"))
    assert (tmp_path / "ours").read_bytes() == (tmp_path / "theirs").read_bytes()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleMissingError, match=r"binary\.faiss is missing"):
        read_binary_codes(tmp_path / "binary.faiss", 16, mapped=False)


@pytest.mark.parametrize("content", [b"", b"not an index", b"IBxF", bytes(1000)])
def test_a_file_that_is_not_an_index_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "binary.faiss"
    path.write_bytes(content)
    with pytest.raises(BundleCorruptError, match="faiss cannot read"):
        read_binary_codes(path, 16, mapped=False)


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.faiss"
    write_binary_index(path, 384, [random_codes(100, 48)])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(BundleCorruptError, match="faiss cannot read"):
        read_binary_codes(path, 384, mapped=False)


def test_codes_of_another_length_are_refused_with_both_lengths(tmp_path: Path) -> None:
    path = tmp_path / "binary.faiss"
    write_binary_index(path, 384, [random_codes(10, 48)])
    with pytest.raises(BundleIncompatibleError, match=r"48 bytes.* of 96 bytes are needed"):
        read_binary_codes(path, 768, mapped=False)


def test_another_kind_of_index_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "binary.faiss"
    faiss.write_index_binary(faiss.IndexBinaryHNSW(16, 4), str(path))
    with pytest.raises(BundleIncompatibleError, match="IndexBinaryHNSW"):
        read_binary_codes(path, 16, mapped=False)


@pytest.mark.parametrize("count", [1, 10, 10_000])
def test_a_full_disk_is_noticed_even_with_the_last_bytes(tmp_path: Path, count: int) -> None:
    (tmp_path / "binary.faiss").symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space left"):
        write_binary_index(tmp_path / "binary.faiss", 384, [random_codes(count, 48)])


def test_a_folder_that_cannot_be_written_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"binary\.faiss"):
        write_binary_index(tmp_path / "missing" / "binary.faiss", 16, [random_codes(1, 2)])
