"""The comparison of schemes: the first of each table is the product's own, and the others are what they say."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from retrieval import BundleMissingError, QueryError, Searcher, SearchSettings
from retrieval.evaluation.baseline import ExactBaseline
from retrieval.quantization import Float32s
from scripts.compare_schemes import main, on_judged, on_queries, report
from scripts.report.terminal import read_queries
from scripts.schemes.comparison import Comparison
from scripts.schemes.kinds import int8_schemes, sign_codes, sign_schemes
from tests.beir_folder import write_collection
from tests.conftest import Build, FakeEncoder, random_texts
from tests.evaluation.test_ladder import QUERIES

TEXTS = random_texts(400) + ["sort a list"] * 50


@pytest.fixture
def searcher(build: Build, encoder: FakeEncoder) -> Searcher:
    return Searcher.open(build(TEXTS).path, encoder=encoder, verify="never")


@pytest.fixture
def baseline(searcher: Searcher) -> ExactBaseline:
    return ExactBaseline.open(searcher.bundle)


def floats(baseline: ExactBaseline) -> Float32s:
    return np.asarray(baseline.embeddings[baseline.text_rows])


class TestInt8Schemes:
    def test_the_first_is_what_the_project_uses(self, searcher: Searcher, baseline: ExactBaseline) -> None:
        quantizer = searcher.manifest.quantizer
        first = next(int8_schemes(baseline, quantizer))
        values = floats(baseline)
        assert np.array_equal(first.restore(values), quantizer.decode(quantizer.encode(values)))

    def test_none_is_off_by_more_than_half_its_step_within_its_range(
        self, searcher: Searcher, baseline: ExactBaseline
    ) -> None:
        values = floats(baseline)
        schemes = {scheme.key: scheme for scheme in int8_schemes(baseline, searcher.manifest.quantizer)}
        furthest = np.abs(values).max()
        assert np.abs(schemes["global"].restore(values) - values).max() <= furthest / 255 + 1e-6
        steps = np.abs(values).max(axis=1, keepdims=True) / 127
        assert (np.abs(schemes["vector"].restore(values) - values) <= steps / 2 + 1e-6).all()

    def test_a_clipped_range_is_that_of_the_middle_values(self, searcher: Searcher, baseline: ExactBaseline) -> None:
        values = floats(baseline)
        schemes = {scheme.key: scheme for scheme in int8_schemes(baseline, searcher.manifest.quantizer)}
        for percent in (99.9, 99.0):
            restored = schemes[f"clipped_{percent:g}"].restore(values)
            lowest, highest = np.quantile(values, [(100 - percent) / 200, (100 + percent) / 200], axis=0)
            np.testing.assert_allclose(restored.min(axis=0), lowest, atol=1e-5)
            np.testing.assert_allclose(restored.max(axis=0), highest, atol=1e-5)

    def test_only_a_scale_per_vector_takes_more_bytes(self, searcher: Searcher, baseline: ExactBaseline) -> None:
        sizes = {scheme.key: scheme.vector_bytes for scheme in int8_schemes(baseline, searcher.manifest.quantizer)}
        assert sizes.pop("vector") == 68
        assert set(sizes.values()) == {64}


class TestSignSchemes:
    def test_the_first_is_what_the_project_uses(self, searcher: Searcher, baseline: ExactBaseline) -> None:
        assert np.array_equal(sign_codes(next(sign_schemes(baseline)), baseline), searcher.files.texts.codes)

    def test_less_the_mean_half_of_the_bits_are_set(self, baseline: ExactBaseline) -> None:
        values = floats(baseline)
        (centred,) = [scheme for scheme in sign_schemes(baseline) if scheme.key == "centred"]
        np.testing.assert_allclose(centred.moved(values).mean(axis=0), 0, atol=1e-6)

    def test_a_rotation_keeps_every_dot_product(self, baseline: ExactBaseline) -> None:
        values = floats(baseline)
        rotated = [scheme for scheme in sign_schemes(baseline) if scheme.key.startswith("rotated")]
        assert len(rotated) == 3
        for scheme in rotated:
            np.testing.assert_allclose(scheme.moved(values) @ scheme.moved(values).T, values @ values.T, atol=1e-5)

    def test_seeds_give_other_bits(self, baseline: ExactBaseline) -> None:
        codes = [sign_codes(scheme, baseline).tobytes() for scheme in sign_schemes(baseline)]
        assert len(set(codes)) == len(codes) == 8


class TestComparison:
    def test_the_projects_schemes_answer_as_the_searcher_does(self, searcher: Searcher, encoder: FakeEncoder) -> None:
        vectors = encoder.encode(QUERIES)
        comparison = Comparison(searcher, vectors)
        expected = [searcher.nearest_texts(vector, SearchSettings()).tolist() for vector in vectors]
        for answers in (next(comparison.int8_answers())[1], next(comparison.sign_answers())[1]):
            assert [rows.tolist() for rows in answers["path"]] == expected

    def test_the_first_setting_is_that_of_the_path(self, searcher: Searcher, encoder: FakeEncoder) -> None:
        comparison = Comparison(searcher, encoder.encode(QUERIES))
        settings = list(comparison.setting_answers())
        by_scheme, by_setting = next(comparison.int8_answers())[1], settings[0][1]
        assert [rows.tolist() for rows in by_setting["path"]] == [rows.tolist() for rows in by_scheme["path"]]
        assert len({setting.key for setting, _ in settings}) == len(settings)

    def test_stages_pass_on_what_their_names_say(self, searcher: Searcher, encoder: FakeEncoder) -> None:
        _, answers = next(Comparison(searcher, encoder.encode(QUERIES)).sign_answers())
        lengths = {stage: {len(rows) for rows in found} for stage, found in answers.items()}
        assert lengths == {
            "hamming_10": {10}, "hamming_100": {100}, "hamming_1000": {401},
            "asymmetric_10": {10}, "asymmetric_100": {100}, "asymmetric_200": {200}, "path": {10},
        }  # fmt: skip

    def test_all_candidates_hold_all_answers(self, searcher: Searcher, encoder: FakeEncoder) -> None:
        comparison = Comparison(searcher, encoder.encode(QUERIES))
        for scheme, answers in comparison.sign_answers():
            recall = comparison.recall(answers)
            assert recall["hamming_1000"].tolist() == [1.0] * len(QUERIES), scheme.key
            assert recall["hamming_10"].mean() <= recall["hamming_100"].mean()

    def test_without_the_baseline_nothing_can_be_compared(self, build: Build, encoder: FakeEncoder) -> None:
        searcher = Searcher.open(build(TEXTS, baseline=False).path, encoder=encoder, verify="never")
        with pytest.raises(BundleMissingError, match="without --no-baseline"):
            Comparison(searcher, encoder.encode(QUERIES))


class TestReport:
    def test_the_first_of_a_table_stands_alone_and_the_others_next_to_it(
        self, searcher: Searcher, encoder: FakeEncoder
    ) -> None:
        lines = report("few", on_queries(searcher, encoder, {"few": QUERIES})["few"])
        assert lines[0] == f"## few: recall@10, {len(QUERIES)} queries"
        first, second = (line for line in lines if "ange of each dimension |" in line or "all dimensions |" in line)
        assert first.startswith("| range of each dimension | 64 | ")
        assert "[" not in first
        assert second.count("[") == 2

    def test_each_set_of_queries_is_measured_as_if_it_were_alone(
        self, searcher: Searcher, encoder: FakeEncoder
    ) -> None:
        one, two = QUERIES[:3], QUERIES[3:]
        both = on_queries(searcher, encoder, {"one": one, "two": two})
        assert both["one"] == on_queries(searcher, encoder, {"one": one})["one"]
        assert both["two"] == on_queries(searcher, encoder, {"two": two})["two"]

    def test_a_judged_collection_is_measured_by_its_judgments(self, tmp_path: Path, encoder: FakeEncoder) -> None:
        pytest.importorskip("pytrec_eval")
        texts = [(str(number), text) for number, text in enumerate(random_texts(60))]
        folder = write_collection(tmp_path / "beir", texts, [("q", texts[7][1])], {("q", "7"): 1})
        measured = on_judged(folder, None, encoder, lambda _: None)
        assert measured["float32"] == 1.0
        assert [set(row["stages"]) for row in measured["signs"]] == [{"hamming_10", "asymmetric_10", "path"}] * 8
        assert measured["int8"][0]["stages"]["path"]["mean"] == 1.0
        assert str(tmp_path) not in json.dumps(measured)


class TestCommand:
    def test_nothing_to_compare_on_is_wrong_usage(self, capsys: pytest.CaptureFixture[str]) -> None:
        with pytest.raises(SystemExit, match="2"):
            main(["--index", "somewhere"])
        assert "give --queries, --beir, or both" in capsys.readouterr().err

    def test_a_missing_index_is_one_line(self, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
        (tmp_path / "queries.txt").write_text("red apple\n")
        assert main(["--index", str(tmp_path / "none"), "--queries", str(tmp_path / "queries.txt")]) == 1
        assert capsys.readouterr().err.startswith("error: no index at ")

    @pytest.mark.parametrize("content", [None, b"", b" \n", b"\xff\xfe"])
    def test_a_file_without_queries_is_refused(self, tmp_path: Path, content: bytes | None) -> None:
        if content is not None:
            (tmp_path / "queries.txt").write_bytes(content)
        with pytest.raises(QueryError, match=r"queries\.txt"):
            read_queries(tmp_path / "queries.txt")
