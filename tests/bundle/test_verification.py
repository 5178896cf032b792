"""The check of the big files: when it runs, what it finds, what it leaves open."""

from __future__ import annotations

import gc
import hashlib
import os
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from retrieval import BundleCorruptError, BundleMissingError
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE, FileRecord
from retrieval.bundle.verification import Verification
from tests.conftest import Build
from tests.support import alter

BIG_FILES = (INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE)


@pytest.fixture
def bundle(build: Build) -> Bundle:
    return build(["red apple", "green pear", "blue plum"])


def test_a_whole_bundle_passes(bundle: Bundle) -> None:
    verification = Verification(bundle)
    assert verification.status == "not started"
    verification.start("now")
    assert verification.status == "passed"
    verification.raise_if_failed()


def test_in_the_background_it_passes_too(bundle: Bundle) -> None:
    verification = Verification(bundle)
    verification.start("background")
    verification.wait()
    assert verification.status == "passed"


@pytest.mark.parametrize("name", BIG_FILES)
def test_now_raises_at_once_for_an_altered_file(bundle: Bundle, name: str) -> None:
    alter(bundle.file(name))
    with pytest.raises(BundleCorruptError, match=f"out of service: .*{name} is altered"):
        Verification(bundle).start("now")


@pytest.mark.parametrize("name", BIG_FILES)
def test_in_the_background_it_fails_with_what_it_found(bundle: Bundle, name: str) -> None:
    alter(bundle.file(name))
    verification = Verification(bundle)
    verification.start("background")
    verification.wait()
    assert verification.status == "failed"
    with pytest.raises(BundleCorruptError, match=f"{name} is altered: SHA-256 .*, expected "):
        verification.raise_if_failed()


def test_never_checks_nothing(bundle: Bundle) -> None:
    alter(bundle.file(INT8_FILE))
    verification = Verification(bundle)
    verification.start("never")
    verification.wait()
    assert verification.status == "not started"
    verification.raise_if_failed()


def test_a_file_that_is_gone_is_a_missing_file(bundle: Bundle) -> None:
    bundle.file(INT8_FILE).unlink()
    with pytest.raises(BundleMissingError, match=r"int8\.usearch"):
        Verification(bundle).start("background")


def test_the_codes_were_checked_at_opening_and_are_not_read_again(bundle: Bundle) -> None:
    bundle.file(BINARY_FILE).unlink()
    Verification(bundle).start("now")


def test_a_folder_replaced_during_the_check_is_not_damage(bundle: Bundle, build: Build) -> None:
    verification = Verification(bundle)
    files = verification._open_files()
    build(["another"], overwrite=True)
    verification._check(files)
    assert verification.status == "passed"


def test_files_are_closed_after_the_check(bundle: Bundle) -> None:
    gc.collect()  # what earlier tests left open
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        Verification(bundle).start("now")
    alter(bundle.file(INT8_FILE))
    with pytest.raises(BundleCorruptError):
        Verification(bundle).start("now")
    gc.collect()  # the error holds the check that failed
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


def test_an_unknown_way_is_refused(bundle: Bundle) -> None:
    with pytest.raises(ValueError, match="'later'"):
        Verification(bundle).start("later")


def test_the_check_in_the_background_gives_way_and_still_reads_everything(bundle: Bundle) -> None:
    """A file of many pieces, of which the last byte is altered; the thread has the lowest priority there is."""
    size, priorities = 100_000_000, []
    path = bundle.file(INT8_FILE)
    path.write_bytes(bytes(size))
    digest = hashlib.sha256(bytes(size)).hexdigest()
    files = {**bundle.manifest.files, INT8_FILE: FileRecord(size, digest)}
    large = Bundle(bundle.path, replace(bundle.manifest, files=files))

    def checked() -> Verification:
        verification = Verification(large)
        verification.start("background")
        while verification.status == "running":
            with suppress(FileNotFoundError, ProcessLookupError):  # it has ended
                threads = [int(task.name) for task in Path("/proc/self/task").iterdir()]
                priorities.append(max(os.getpriority(os.PRIO_PROCESS, thread) for thread in threads))
        verification.wait()
        return verification

    assert checked().status == "passed"
    assert max(priorities) == 19
    assert os.getpriority(os.PRIO_PROCESS, 0) < 19
    path.write_bytes(bytes(size - 1) + b"x")
    assert checked().status == "failed"
