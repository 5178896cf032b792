"""The cache of converted models: leftovers of killed conversions are removed, running ones are not."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from retrieval.encoding.model_cache import conversion_folder


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("EMBEDDING_QUANTIZATION_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def left_behind(cache: Path, name: str, *, age_s: float) -> Path:
    folder = cache / name
    folder.mkdir(parents=True)
    (folder / "model.bin").write_bytes(bytes(1000))
    now = folder.stat().st_mtime
    os.utime(folder, (now - age_s, now - age_s))
    return folder


def test_files_of_a_killed_conversion_are_removed(cache: Path) -> None:
    abandoned = left_behind(cache, "convert-dead", age_s=3600)
    kept = left_behind(cache, "0123456789abcdef-f32-openvino-1", age_s=3600)
    with conversion_folder() as work:
        assert work.parent == cache
        assert not abandoned.exists()
    assert sorted(cache.iterdir()) == [kept]


def test_a_conversion_running_in_another_process_is_left_alone(cache: Path) -> None:
    busy = left_behind(cache, "convert-busy", age_s=3600)
    descriptor = os.open(busy, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        with conversion_folder():
            assert (busy / "model.bin").exists()
    finally:
        os.close(descriptor)


def test_files_of_a_just_killed_conversion_are_removed_by_the_next_one(cache: Path) -> None:
    young = left_behind(cache, "convert-young", age_s=0)
    with conversion_folder() as work:
        assert list(cache.iterdir()) == [work]
    assert not young.exists()


def test_a_conversion_that_fails_leaves_nothing(cache: Path) -> None:
    def fail() -> None:
        with conversion_folder() as work:
            (work / "model.bin").write_bytes(bytes(1000))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert list(cache.iterdir()) == []


def test_two_conversions_at_once_have_their_own_folders(cache: Path) -> None:
    with conversion_folder() as one, conversion_folder() as other:
        assert one != other
        assert one.exists()
