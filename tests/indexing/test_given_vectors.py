"""Indexes of vectors that exist already: each row keeps its own, and what cannot be right is refused."""

from __future__ import annotations

import itertools
import json
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import (
    BuildError,
    BuildOptions,
    BuildProgress,
    BundleIncompatibleError,
    ModelError,
    QueryError,
    Searcher,
    VectorsError,
    build_index,
)
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import EMBEDDINGS_FILE, NO_MODEL
from retrieval.indexing.vector_survey import normalized
from retrieval.quantization import Float32s
from scripts import build_index as build_script
from scripts import search as search_script
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts
from tests.support import Oracle, die, file_hashes, run_in_child

TEXTS = random_texts(60)
DIM = 20
VECTORS = normalized(np.random.default_rng(1).standard_normal((60, DIM)).astype(np.float32))

BuildGiven = Callable[..., Bundle]


def build_given(folder: Path, texts: Sequence[str | None], vectors: Any, **given: Any) -> Bundle:
    """Builds an index of texts and vectors in `folder / "index"`."""
    np.save(folder / "vectors.npy", vectors)
    corpus = RowsCorpus([{"text": text} for text in texts], batch_size=7)
    encoder, report = given.pop("encoder", None), given.pop("report", lambda _: None)
    options = BuildOptions(embeddings=folder / "vectors.npy", **given)
    return build_index(corpus, encoder, folder / "index", options, report)


def exact(vectors: Float32s, query: Float32s) -> list[int]:
    """Returns all rows, best first, by the float32 vectors."""
    return [int(row) for row in np.argsort(-(vectors @ query), kind="stable")]


def notes_of(folder: Path, *arguments: Any, **given: Any) -> list[str]:
    """Returns the notes of a build until it writes its files."""
    told: list[BuildProgress] = []
    build_given(folder, *arguments, report=told.append, **given)
    before_writing = itertools.takewhile(lambda step: step.phase != "writing", told)
    return [step.message for step in before_writing if step.phase == "note"]


class TestRows:
    def test_unit_vectors_are_kept_to_the_bit(self, tmp_path: Path) -> None:
        bundle = build_given(tmp_path, TEXTS, VECTORS)
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), VECTORS)
        assert (bundle.manifest.row_count, bundle.manifest.dim) == (60, DIM)

    def test_dropped_rows_take_their_vectors_along(self, tmp_path: Path) -> None:
        texts = [None if row % 5 == 0 else " " if row % 7 == 0 else text for row, text in enumerate(TEXTS)]
        kept = [row for row in range(60) if row % 5 and row % 7]
        bundle = build_given(tmp_path, texts, VECTORS)
        searcher = Searcher.open(bundle.path)
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), VECTORS[kept])
        assert [searcher.search_vector(VECTORS[row]).hits[0].document.text for row in kept] == [TEXTS[r] for r in kept]

    def test_a_bad_vector_of_a_dropped_row_does_not_matter(self, tmp_path: Path) -> None:
        vectors = VECTORS.copy()
        vectors[3], vectors[4] = np.nan, 0
        texts = [*TEXTS[:3], " ", None, *TEXTS[5:]]
        assert build_given(tmp_path, texts, vectors).manifest.dropped_rows == 2

    def test_rows_of_one_text_keep_their_own_vectors(self, tmp_path: Path) -> None:
        bundle = build_given(tmp_path, ["same"] * 60, VECTORS)
        searcher = Searcher.open(bundle.path)
        assert bundle.manifest.distinct_text_count == 60
        assert [searcher.search_vector(vector, 1).hits[0].row for vector in VECTORS] == list(range(60))

    def test_rows_of_one_text_and_one_vector_count_once(self, tmp_path: Path) -> None:
        texts = [*TEXTS[:10], *TEXTS[:10], TEXTS[0]]
        bundle = build_given(tmp_path, texts, np.concatenate([VECTORS[:10], VECTORS[:10], VECTORS[30:31]]))
        assert bundle.manifest.distinct_text_count == 11
        expected = np.concatenate([VECTORS[:10], VECTORS[:10], VECTORS[30:31]])
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), expected)

    def test_a_limit_takes_the_first_rows(self, tmp_path: Path) -> None:
        bundle = build_given(tmp_path, TEXTS, VECTORS, limit=9)
        assert np.array_equal(np.load(bundle.file(EMBEDDINGS_FILE)), VECTORS[:9])

    @pytest.mark.parametrize("order", ["C", "F"])
    @pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
    def test_every_order_and_float_gives_the_ranking_of_the_exact_scan(
        self, tmp_path: Path, dtype: Any, order: Any
    ) -> None:
        lengths = np.linspace(0.5, 30, 60)[:, None]
        bundle = build_given(tmp_path, TEXTS, np.asarray(VECTORS * lengths, dtype=dtype, order=order))
        searcher = Searcher.open(bundle.path)
        for query in normalized(np.random.default_rng(2).standard_normal((10, DIM)).astype(np.float32)):
            hits = searcher.search_vector(query, 60).hits
            assert exact(VECTORS, query)[0] in [hit.row for hit in hits[:2]]
            assert [hit.score for hit in hits] == pytest.approx([VECTORS[hit.row] @ query for hit in hits], abs=0.02)


class TestOddDimensions:
    """A last byte of bits that is not full: what pads it must not count."""

    @pytest.mark.parametrize("dim", [9, 36, 63])
    @pytest.mark.parametrize("asymmetric", [True, False])
    @pytest.mark.parametrize("rescore", [True, False])
    def test_every_stage_is_that_of_the_oracle(self, tmp_path: Path, dim: int, asymmetric: bool, rescore: bool) -> None:
        rng = np.random.default_rng(dim)
        vectors, queries = (normalized(rng.standard_normal((n, dim)).astype(np.float32)) for n in (300, 5))
        searcher = Searcher.open(build_given(tmp_path, random_texts(300), vectors).path)
        oracle = Oracle.of(searcher)
        for query in queries:
            hits = searcher.search_vector(
                query, num_candidates=80, rescore_multiplier=3, asymmetric=asymmetric, rescore=rescore
            ).hits
            rows, scores = oracle.search(query, 10, 80, 3, asymmetric=asymmetric, rescore=rescore)
            assert [hit.hamming_distance for hit in hits] == oracle.distances(query)[[hit.row for hit in hits]].tolist()
            assert [hit.score for hit in hits] == pytest.approx(scores, abs=1e-5)
            assert [hit.row for hit in hits] == rows


class TestMoreLike:
    def test_the_closest_others_in_the_order_of_the_vectors(self, tmp_path: Path) -> None:
        searcher = Searcher.open(build_given(tmp_path, TEXTS, VECTORS).path)
        response = searcher.more_like(17, 5)
        assert response.settings.top_k == len(response.hits) == 5
        assert [hit.rank for hit in response.hits] == [1, 2, 3, 4, 5]
        assert 17 not in [hit.row for hit in response.hits]
        similar = [float(VECTORS[hit.row] @ VECTORS[17]) for hit in response.hits]
        assert similar == pytest.approx(np.sort(VECTORS @ VECTORS[17])[::-1][1:6], abs=0.02)

    def test_the_group_of_the_document_is_left_out(self, build: Build) -> None:
        bundle = build([{"text": text, "group": str(row // 3)} for row, text in enumerate(TEXTS)])
        hits = Searcher.open(bundle.path, encoder=FakeEncoder()).more_like(4, 100).hits
        assert sorted(hit.row // 3 for hit in hits) == [group for group in range(20) if group != 1]

    @pytest.mark.parametrize("row", [-1, 60])
    def test_a_row_that_is_not_there_is_refused(self, tmp_path: Path, row: int) -> None:
        with pytest.raises(QueryError, match=f"row {row} is not in this index: .*0 to 59"):
            Searcher.open(build_given(tmp_path, TEXTS, VECTORS).path).more_like(row)


class TestNotes:
    def test_lengths_that_were_changed_are_reported(self, tmp_path: Path) -> None:
        [note] = notes_of(tmp_path, TEXTS, VECTORS * np.linspace(0.5, 2, 60, dtype=np.float32)[:, None])
        assert "lengths from 0.5 to 2" in note

    @pytest.mark.parametrize("dtype", [np.float16, np.float32])
    def test_unit_vectors_need_no_note(self, tmp_path: Path, dtype: Any) -> None:
        assert notes_of(tmp_path, TEXTS, VECTORS.astype(dtype)) == []

    def test_float64_is_reported(self, tmp_path: Path) -> None:
        assert notes_of(tmp_path, TEXTS, VECTORS.astype(float)) == [
            "The vectors are float64: they are used as float32."
        ]


class TestRefusals:
    @pytest.mark.parametrize(
        ("value", "message"),
        [
            (np.nan, r"2 vectors with NaN or infinite numbers, the first in row 11 \(counted from 0\)"),
            (-np.inf, "2 vectors with NaN or infinite numbers, the first in row 11"),
            (0, "2 vectors with nothing but zeros, the first in row 11.*Embed these rows again"),
        ],
    )
    def test_vectors_of_zeros_or_without_finite_numbers_are_refused(
        self, tmp_path: Path, value: float, message: str
    ) -> None:
        vectors = VECTORS.copy()
        vectors[[11, 40]] = value
        with pytest.raises(VectorsError, match=message):
            build_given(tmp_path, TEXTS, vectors)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["vectors.npy"]

    def test_a_float16_that_overflowed(self, tmp_path: Path) -> None:
        vectors = VECTORS.astype(np.float16)
        vectors[5, 3] = np.inf
        with pytest.raises(VectorsError, match=r"1 vector with NaN.* row 5"):
            build_given(tmp_path, TEXTS, vectors)

    @pytest.mark.parametrize("count", [1, 59, 61])
    def test_a_count_of_vectors_that_is_not_that_of_the_rows_is_refused(self, tmp_path: Path, count: int) -> None:
        vectors = np.resize(VECTORS, (count, DIM))
        with pytest.raises(VectorsError, match=f" {count} vectors?, .* 60 rows"):
            build_given(tmp_path, TEXTS, vectors)

    def test_a_count_that_fits_the_rows_with_text_is_recognized(self, tmp_path: Path) -> None:
        with pytest.raises(VectorsError, match=r"60 rows \(2 of them without text, which count too\)"):
            build_given(tmp_path, [*TEXTS[:58], None, " "], VECTORS[:58])

    def test_more_vectors_than_rows_below_the_limit(self, tmp_path: Path) -> None:
        with pytest.raises(VectorsError, match="holds 60 vectors, the corpus has 50 rows"):
            build_given(tmp_path, TEXTS[:50], VECTORS, limit=55)

    def test_neither_model_nor_vectors(self, tmp_path: Path) -> None:
        with pytest.raises(BuildError, match="neither a model nor a file of vectors"):
            build_index(RowsCorpus([{"text": "a"}]), None, tmp_path / "index")

    def test_an_existing_index_is_untouched(self, tmp_path: Path) -> None:
        before = file_hashes(build_given(tmp_path, TEXTS, VECTORS).path)
        with pytest.raises(VectorsError):
            build_given(tmp_path, TEXTS, VECTORS[:5], overwrite=True)
        assert file_hashes(tmp_path / "index") == before


class TestWithoutModel:
    def test_the_manifest_says_so(self, tmp_path: Path) -> None:
        manifest = build_given(tmp_path, TEXTS, VECTORS).manifest
        assert (manifest.model_id, manifest.weights_sha256, manifest.has_model) == (NO_MODEL, NO_MODEL, False)

    def test_a_text_is_refused_and_a_vector_answered(self, tmp_path: Path) -> None:
        searcher = Searcher.open(build_given(tmp_path, TEXTS, VECTORS).path, verify="now")
        assert not searcher.can_encode
        for text in ("red apple", "red apple " * 100):
            with pytest.raises(QueryError, match="no model for texts: search it with a vector"):
                searcher.search(text)
        with pytest.raises(QueryError, match="no model for texts"):
            searcher.search_many(["red apple"])
        assert searcher.search_vector(3 * VECTORS[8]).hits[0].row == 8

    def test_any_encoder_of_its_dimension_may_be_used(self, tmp_path: Path) -> None:
        path = build_given(tmp_path, TEXTS, FakeEncoder(DIM).encode(TEXTS)).path
        assert Searcher.open(path, encoder=FakeEncoder(DIM)).search(TEXTS[5]).hits[0].row == 5
        with pytest.raises(BundleIncompatibleError, match="20 dimensions"):
            Searcher.open(path, encoder=FakeEncoder(64))


class TestWithModel:
    def test_texts_are_searched_as_in_an_index_that_was_encoded(self, tmp_path: Path) -> None:
        encoder = FakeEncoder()
        given = build_given(tmp_path, TEXTS, encoder.encode(TEXTS), encoder=encoder)
        whole = build_index(RowsCorpus([{"text": text} for text in TEXTS]), encoder, tmp_path / "encoded")
        assert file_hashes(given.path) == file_hashes(whole.path) | {
            "documents/documents.arrow": file_hashes(given.path)["documents/documents.arrow"]
        }
        assert given.manifest.weights_sha256 == encoder.weights_sha256
        assert Searcher.open(given.path, encoder=encoder).search(TEXTS[7]).hits[0].row == 7

    def test_only_a_sample_is_encoded(self, tmp_path: Path) -> None:
        texts = random_texts(500)
        vectors, encoder = FakeEncoder().encode(texts), FakeEncoder()
        build_given(tmp_path, texts, vectors, encoder=encoder)
        assert 0 < len(encoder.encoded) <= 32

    def test_vectors_of_another_model_are_refused(self, tmp_path: Path) -> None:
        vectors = FakeEncoder().encode([text[::-1] for text in TEXTS])
        with pytest.raises(ModelError, match=r"are not those of fake: of 32 texts .* Give the model that made them"):
            build_given(tmp_path, TEXTS, vectors, encoder=FakeEncoder())

    def test_vectors_in_another_order_are_refused(self, tmp_path: Path) -> None:
        vectors = np.roll(FakeEncoder().encode(TEXTS), 1, axis=0)
        with pytest.raises(ModelError, match="check that the rows are in the same order"):
            build_given(tmp_path, TEXTS, vectors, encoder=FakeEncoder())

    def test_vectors_that_are_all_close_do_not_hide_another_order(self, tmp_path: Path) -> None:
        """Some models have cosines of 0.8 for texts that have nothing in common."""

        class Narrow(FakeEncoder):
            def _embed(self, text: str) -> Float32s:
                vector: Float32s = normalized((super()._embed(text)[None] / 2 + 0.2).astype(np.float32))[0]
                return vector

        vectors = np.roll(Narrow().encode(TEXTS), 1, axis=0)
        assert (vectors @ vectors.T).min() > 0.5
        with pytest.raises(ModelError, match="are closest to their own vector, with a median cosine of 0"):
            build_given(tmp_path, TEXTS, vectors, encoder=Narrow())

    def test_another_dimension_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(
            ModelError, match="have 20 dimensions, those of fake have 64: give the model that made them"
        ):
            build_given(tmp_path, TEXTS, VECTORS, encoder=FakeEncoder())

    def test_vectors_of_longer_texts_are_noted(self, tmp_path: Path) -> None:
        vectors = FakeEncoder().encode([f"{text} and some more words" for text in TEXTS])
        [note] = notes_of(tmp_path, TEXTS, vectors, encoder=FakeEncoder())
        assert note.startswith("The vectors agree with fake only to a median cosine of 0.")


def build_and_die(folder: Path, moment: int) -> None:
    def listen(step: BuildProgress) -> None:
        if step.phase == "copying" and step.done >= moment:
            die()

    build_given(folder, TEXTS, VECTORS, report=listen, checkpoint_texts=10)


class TestKilled:
    def test_continues_and_gives_the_bytes_of_a_build_that_was_not_killed(self, tmp_path: Path) -> None:
        (tmp_path / "whole").mkdir()
        expected = build_given(tmp_path / "whole", TEXTS, VECTORS)
        assert run_in_child(build_and_die, tmp_path, 30) == -signal.SIGKILL
        notes = notes_of(tmp_path, TEXTS, VECTORS)
        assert ["unfinished build: 30 vectors" in note for note in notes] == [True]
        assert file_hashes(tmp_path / "index") == file_hashes(expected.path)

    def test_other_vectors_start_over(self, tmp_path: Path) -> None:
        assert run_in_child(build_and_die, tmp_path, 30) == -signal.SIGKILL
        other = VECTORS.copy()
        other[3] = -other[3]
        assert ["other inputs" in note for note in notes_of(tmp_path, TEXTS, other)] == [True]
        assert np.array_equal(np.load(tmp_path / "index" / EMBEDDINGS_FILE), other)


class TestScripts:
    @pytest.fixture
    def index(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Path:
        (tmp_path / "texts.csv").write_text("title\n" + "\n".join(TEXTS) + "\n")
        np.save(tmp_path / "vectors.npy", VECTORS)
        arguments = ["--corpus", "file", "--path", str(tmp_path / "texts.csv"), "--output", str(tmp_path / "index")]
        status = build_script.main([*arguments, "--embeddings", str(tmp_path / "vectors.npy")])
        assert status == 0, capsys.readouterr().err
        assert "60 rows" in capsys.readouterr().out
        return tmp_path / "index"

    def test_vectors_of_a_file_are_searched_for(self, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
        np.save(index.parent / "queries.npy", VECTORS[[4, 9]])
        arguments = ["--index", str(index), "--vector", str(index.parent / "queries.npy"), "--json"]
        assert search_script.main(arguments) == 0
        answers = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert [answer["query"] for answer in answers] == ["queries.npy[0]", "queries.npy[1]"]
        assert [answer["hits"][0]["document"]["text"] for answer in answers] == [TEXTS[4], TEXTS[9]]

    def test_one_vector_is_enough(self, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
        np.save(index.parent / "query.npy", VECTORS[4])
        assert search_script.main(["--index", str(index), "--vector", str(index.parent / "query.npy")]) == 0
        assert TEXTS[4] in capsys.readouterr().out

    def test_a_text_is_an_error_of_one_line(self, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
        assert search_script.main(["--index", str(index), "red apple"]) == 1
        error = capsys.readouterr().err
        assert error.startswith("error: this index was built from given vectors")
        assert error.count("\n") == 1

    def test_a_vector_of_another_length_is_an_error(self, index: Path, capsys: pytest.CaptureFixture[str]) -> None:
        np.save(index.parent / "query.npy", np.ones(12))
        assert search_script.main(["--index", str(index), "--vector", str(index.parent / "query.npy")]) == 1
        assert "the query vector has shape (12,)" in capsys.readouterr().err

    @pytest.mark.parametrize("queries", [[], ["red", "--vector", "query.npy"]])
    def test_either_texts_or_vectors(self, index: Path, queries: list[str]) -> None:
        with pytest.raises(SystemExit) as stopped:
            search_script.main(["--index", str(index), *queries])
        assert stopped.value.code == 2
