"""Vectors whose values mostly have one sign: what their bits lose is told, and a mean that is taken off mends it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import (
    BuildOptions,
    BuildProgress,
    BundleCorruptError,
    Searcher,
    build_index,
)
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import MANIFEST_FILE
from retrieval.bundle.manifest_values import sealed
from retrieval.evaluation.baseline import ExactBaseline, OpenedIndex
from retrieval.evaluation.ways import FloatBits
from retrieval.quantization import Float32s, SignQuantizer, unpack_signs
from retrieval.search.explanation.explain import explain_first_document
from tests.conftest import RowsCorpus

DIM, COUNT = 128, 6000


def unit(vectors: Any) -> Float32s:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / lengths, dtype=np.float32)


def families(count: int) -> Float32s:
    """Returns vectors in families of twelve: each has neighbours to be found, as texts do."""
    rng = np.random.default_rng(0)
    return unit(np.repeat(rng.standard_normal((count // 12, DIM)), 12, axis=0) + rng.standard_normal((count, DIM)))


BASE = families(COUNT)
POSITIVE = unit(BASE + 1.0)
SHIFTED = unit(BASE + 3 * unit(np.random.default_rng(1).standard_normal((1, DIM))))


def built(folder: Path, vectors: Float32s, *, center: bool, notes: list[str] | None = None) -> Bundle:
    np.save(folder / "vectors.npy", vectors)

    def listen(step: BuildProgress) -> None:
        if step.phase == "note" and notes is not None:
            notes.append(step.message)

    corpus = RowsCorpus([{"text": f"text {row}"} for row in range(len(vectors))], batch_size=1000)
    options = BuildOptions(embeddings=folder / "vectors.npy", center=center, overwrite=True)
    return build_index(corpus, None, folder / "index", options, listen)


def share_kept(bundle: Bundle) -> float:
    tuning = bundle.manifest.tuning
    assert tuning is not None
    return max(point.share for point in tuning.curve)


@pytest.mark.parametrize("vectors", [POSITIVE, SHIFTED], ids=["positive", "shifted"])
def test_a_mean_recovers_what_bits_around_zero_lose(tmp_path: Path, vectors: Float32s) -> None:
    notes: list[str] = []
    plain = built(tmp_path, vectors, center=False, notes=notes)
    lost = share_kept(plain)
    [warning] = [note for note in notes if "WARNING" in note]
    assert lost < 0.9
    assert f"find only {100 * lost:.1f} % of the nearest texts" in warning
    assert "--center" in warning
    [shown] = Searcher.open(plain.path).notes
    assert shown in warning

    notes.clear()
    centered = built(tmp_path, vectors, center=True, notes=notes)
    assert share_kept(centered) > 0.98
    assert not [note for note in notes if "WARNING" in note]
    assert Searcher.open(centered.path).notes == ()


def test_bits_that_are_all_equal_are_reported_though_few_texts_are_all_rescored(tmp_path: Path) -> None:
    notes: list[str] = []
    bundle = built(tmp_path, POSITIVE[:60], center=False, notes=notes)
    assert share_kept(bundle) > 0.9
    [warning] = [note for note in notes if "WARNING" in note]
    assert "in 128 of 128 dimensions nearly all have the same sign" in warning
    assert "--center" in warning
    assert built(tmp_path, POSITIVE[:60], center=True).manifest.warning is None
    assert built(tmp_path, BASE[:60], center=False).manifest.warning is None


def test_few_bits_that_lose_much_are_not_blamed_on_a_shift(tmp_path: Path) -> None:
    vectors = unit(np.random.default_rng(2).standard_normal((COUNT, 8)))
    notes: list[str] = []
    bundle = built(tmp_path, vectors, center=False, notes=notes)
    if share_kept(bundle) < 0.9:
        [warning] = [note for note in notes if "WARNING" in note]
        assert "--center" not in warning
    assert bundle.manifest.bits["uniform_dimensions"] == 0


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return built(tmp_path_factory.mktemp("centered"), POSITIVE[:500], center=True)


class TestCenteredIndex:
    def test_bits_say_what_is_above_the_mean(self, bundle: Bundle) -> None:
        center = POSITIVE[:500].mean(axis=0, dtype=np.float64).astype(np.float32)
        assert bundle.manifest.signs.to_json() == {"center": center.tolist()}
        searcher = Searcher.open(bundle.path)
        assert np.array_equal(unpack_signs(searcher.files.index.codes, DIM) > 0, POSITIVE[:500] > center)
        assert bundle.manifest.format_version == 1.1

    def test_a_program_that_knows_nothing_of_the_mean_refuses_it(self, bundle: Bundle) -> None:
        """The first release opens version 1, and nothing else."""
        assert json.loads((bundle.path / MANIFEST_FILE).read_text())["format_version"] != 1

    def test_the_search_finds_what_the_exact_scan_finds(self, bundle: Bundle) -> None:
        searcher = Searcher.open(bundle.path, verify="now")
        for query in unit(np.random.default_rng(3).standard_normal((20, DIM)) * 0.2 + POSITIVE[:20]):
            exact = np.argsort(-(POSITIVE[:500] @ query), kind="stable")
            hits = searcher.search_vector(query, 10, num_candidates=500, rescore_multiplier=50).hits
            assert len({hit.row for hit in hits} & set(exact[:10].tolist())) >= 9
            assert [hit.score for hit in hits] == pytest.approx([POSITIVE[hit.row] @ query for hit in hits], abs=0.01)

    @pytest.mark.parametrize("asymmetric", [True, False])
    def test_scores_without_int8_are_estimates_of_the_cosine(self, bundle: Bundle, asymmetric: bool) -> None:
        searcher = Searcher.open(bundle.path)
        query = POSITIVE[3]
        hits = searcher.search_vector(query, 500, num_candidates=500, rescore=False, asymmetric=asymmetric).hits
        errors = np.array([hit.score - POSITIVE[hit.row] @ query for hit in hits])
        assert abs(errors.mean()) < 0.005
        assert np.abs(errors).max() < 0.05

    def test_the_explanation_counts_the_distances_that_the_search_saw(self, bundle: Bundle) -> None:
        searcher = Searcher.open(bundle.path)
        explained = explain_first_document(searcher, searcher.defaults)
        assert int(explained.document.differs.sum()) == explained.hit.hamming_distance
        assert explained.is_centered
        assert explained.distances.counts.argmax() == pytest.approx(DIM / 2, abs=6)

    def test_ways_from_bits_count_and_estimate_as_the_search_does(self, bundle: Bundle) -> None:
        searcher = Searcher.open(bundle.path)
        index = OpenedIndex(searcher, ExactBaseline.open(bundle), searcher.files.text_rows)
        query = POSITIVE[3]
        hits = searcher.search_vector(query, 10, num_candidates=500, rescore=False).hits
        distances = dict(zip([hit.row for hit in hits], [hit.hamming_distance for hit in hits], strict=True))
        way = FloatBits(500)
        found = way.search(index, query, 10)
        assert dict(zip(found.rows.tolist(), index.distances(query, found.rows).tolist(), strict=True)) == distances
        scores = np.minimum(way.scores(index, query, found), 1.0)
        assert scores == pytest.approx([hit.score for hit in hits], abs=1e-5)

    @pytest.mark.parametrize(
        "center",
        [[0.0] * (DIM - 1), [[0.0] * DIM], ["a"] * DIM, [float("nan")] * DIM, 3, None],
        ids=["short", "nested", "words", "nan", "number", "none"],
    )
    def test_an_altered_mean_is_refused(self, bundle: Bundle, tmp_path: Path, center: Any) -> None:
        values = json.loads((bundle.path / MANIFEST_FILE).read_text())
        values["bits"]["center"] = center
        for name in values["files"]:
            (tmp_path / name).parent.mkdir(exist_ok=True)
            (tmp_path / name).hardlink_to(bundle.file(name))
        (tmp_path / MANIFEST_FILE).write_text(json.dumps(sealed(values)))
        with pytest.raises(BundleCorruptError):
            Bundle.open(tmp_path)


def test_an_older_index_has_no_mean_and_opens(tmp_path: Path) -> None:
    bundle = built(tmp_path, BASE[:100], center=False)
    values = json.loads((bundle.path / MANIFEST_FILE).read_text())
    assert values["format_version"] == 1
    del values["bits"]
    (bundle.path / MANIFEST_FILE).write_text(json.dumps(sealed(values)))
    assert Searcher.open(bundle.path).search_vector(BASE[7]).hits[0].row == 7


def test_bits_are_counted_as_uniform_where_nearly_all_are_the_same(tmp_path: Path) -> None:
    vectors = BASE[:1000].copy()
    vectors[:, :5] = np.abs(vectors[:, :5])
    vectors[:, 5] = -np.abs(vectors[:, 5])
    vectors[:19, 5] *= -1  # 1.9 % are otherwise
    assert built(tmp_path, unit(vectors), center=False).manifest.bits["uniform_dimensions"] == 6


def test_a_quantizer_survives_json_to_the_bit() -> None:
    signs = SignQuantizer.fit([BASE[:10], BASE[10:200]])
    again = SignQuantizer.from_json(json.loads(json.dumps(signs.to_json())), DIM)
    assert again.to_json() == signs.to_json()
    assert np.array_equal(again.encode(POSITIVE), signs.encode(POSITIVE))
