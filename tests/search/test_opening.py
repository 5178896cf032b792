"""Opening an index: the wrong model, damaged files, and what is left behind."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from retrieval import (
    BundleCorruptError,
    BundleError,
    BundleIncompatibleError,
    BundleMissingError,
    RetrievalError,
    Searcher,
)
from retrieval.bundle.binary_index import BinaryIndex
from retrieval.bundle.documents import DocumentStore
from retrieval.bundle.int8_store import Int8Store
from retrieval.bundle.manifest import BINARY_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE, INT8_FILE
from retrieval.quantization import Float32s
from tests.conftest import Build, FakeEncoder, random_texts
from tests.search.searchers import TEXTS, opened
from tests.support import alter, change_manifest


class Other(FakeEncoder):
    weights_sha256 = "0" * 64
    model_id = "other"


class TestOpening:
    def test_another_model_is_refused_with_both_named(self, build: Build) -> None:
        with pytest.raises(BundleIncompatibleError, match=r"built with fake \(f{16}….*the encoder is other \(0{16}…"):
            Searcher.open(build(TEXTS).path, encoder=Other())

    def test_another_dimension_is_refused_with_both_named(self, build: Build) -> None:
        with pytest.raises(BundleIncompatibleError, match=r"64 dimensions.* 32.*open it with its own model"):
            Searcher.open(build(TEXTS).path, encoder=FakeEncoder(32))

    def test_a_missing_bundle_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(BundleMissingError):
            Searcher.open(tmp_path / "nowhere", encoder=FakeEncoder())

    @pytest.mark.parametrize("name", [BINARY_FILE, INT8_FILE, DOCUMENTS_FILE])
    def test_a_file_of_another_bundle_is_refused(self, build: Build, name: str) -> None:
        """Whole and with a matching record, but of an index with another number of rows."""
        bundle, other = build(TEXTS), build(TEXTS[:50], name="other")
        bundle.file(name).write_bytes(other.file(name).read_bytes())
        record = dataclasses.asdict(other.manifest.files[name])
        change_manifest(bundle, lambda values: values["files"].update({name: record}))
        with pytest.raises(BundleCorruptError, match=r"50 .*the manifest says 400 rows"):
            opened(bundle)

    @pytest.mark.parametrize("count", [1, 2, 4])
    def test_a_count_of_texts_that_the_documents_do_not_have_is_refused(self, build: Build, count: int) -> None:
        bundle = build(["a", "b", "a", "c", "b"])
        change_manifest(bundle, lambda values: values.update(distinct_text_count=count))
        with pytest.raises(BundleCorruptError, match="text id"):
            opened(bundle)

    @pytest.mark.parametrize("name", [INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE])
    def test_altered_bytes_are_found_at_opening_or_by_the_check_and_take_it_out_of_service(
        self, build: Build, name: str
    ) -> None:
        bundle = build([*TEXTS[:50], *TEXTS[:3]])
        content = bundle.file(name).read_bytes()
        alter(bundle.file(name), content.index(TEXTS[30].encode()) if name == DOCUMENTS_FILE else len(content) // 2)
        with pytest.raises(BundleError, match=r"Build the index again|build the index again"):
            opened(bundle, verify="now")
        searcher = opened(bundle, verify="background")
        searcher.files.verification.wait()
        for ask in (searcher.search, lambda query: searcher.search_many([query])):
            with pytest.raises(BundleCorruptError, match=f"out of service: .*{name} is altered"):
                ask("red")
        with pytest.raises(BundleCorruptError, match="out of service"):
            searcher.search_vector(np.ones(64))

    def test_any_damage_to_the_header_of_a_file_is_a_retrieval_error(self, build: Build) -> None:
        bundle = build([*TEXTS[:50], *TEXTS[:3]])
        for name in (INT8_FILE, BINARY_FILE):
            whole = bundle.file(name).read_bytes()
            for position in range(0, 33):
                alter(bundle.file(name), position)
                with pytest.raises(RetrievalError):
                    opened(bundle, verify="now")
                bundle.file(name).write_bytes(whole)
        opened(bundle, verify="now")

    @pytest.mark.parametrize("name", [INT8_FILE, DOCUMENTS_FILE, EMBEDDINGS_FILE])
    def test_verifying_now_refuses_an_altered_file_before_anything_parses_one(
        self, build: Build, monkeypatch: pytest.MonkeyPatch, name: str
    ) -> None:
        bundle = build(TEXTS[:50])
        alter(bundle.file(name), 0)
        for store in (DocumentStore, Int8Store, BinaryIndex):
            monkeypatch.setattr(store, "open", lambda *arguments: pytest.fail("a damaged bundle was parsed"))
        with pytest.raises(BundleCorruptError, match=f"{name} is altered"):
            Searcher.open(bundle.path, encoder=FakeEncoder(), verify="now")

    def test_unknown_ways_to_verify_are_refused(self, build: Build) -> None:
        with pytest.raises(ValueError, match="'background', 'now' or 'never'"):
            opened(build(TEXTS), verify="later")

    def test_a_bundle_replaced_while_the_model_loads_is_noticed(self, build: Build) -> None:
        bundle = build(TEXTS)

        class Slow(FakeEncoder):
            def encode(self, texts: Sequence[str]) -> Float32s:
                return super().encode(texts)

            @property
            def weights_sha256(self) -> str:  # type: ignore[override]
                if not replaced:
                    replaced.append(True)
                    build(random_texts(400, seed=9), overwrite=True)
                return "f" * 64

        replaced: list[bool] = []
        with pytest.raises(BundleError):
            Searcher.open(bundle.path, encoder=Slow())

    def test_opening_again_and_again_keeps_no_file_open(self, build: Build) -> None:
        bundle = build(TEXTS)
        opened(bundle, verify="now").search("red")
        before = len(list(Path("/proc/self/fd").iterdir()))
        for _ in range(10):
            opened(bundle, verify="now").search("red")
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 2


_ENDS_DURING_PREPARATION = """
import sys, threading
import numpy as np
from retrieval.encoding.openvino_model import openvino
from openvino import opset13 as ops
from retrieval import Searcher
from retrieval.search.stores import files
from tests.conftest import FakeEncoder

class Prepares(FakeEncoder):
    def choose_cores(self, answer):
        given = ops.parameter([64, 64], np.float32)
        request = openvino.compile_model(openvino.Model([ops.matmul(given, given, False, False)], [given]), "CPU")
        has_begun.set()
        for _ in range(1_000):
            request(np.zeros((64, 64), np.float32))

has_begun = threading.Event()
files.WORTH_PACKING = 1
searcher = Searcher.open(sys.argv[1], encoder=Prepares(), verify="never")
assert has_begun.wait(60)
sys.exit(7)
"""


def test_a_program_that_ends_while_an_index_is_prepared_ends_with_its_own_status(searcher: Searcher) -> None:
    command = [sys.executable, "-c", _ENDS_DURING_PREPARATION, str(searcher.bundle.path)]
    ended = subprocess.run(command, cwd=Path(__file__).parents[2], capture_output=True, text=True, timeout=120)
    assert ended.returncode == 7, ended.stderr
