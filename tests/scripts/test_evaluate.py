"""The command that measures judged collections."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from scripts import evaluate
from tests.beir_folder import write_collection
from tests.conftest import FakeEncoder, random_texts

TEXTS = random_texts(60)


@pytest.fixture
def fake_model(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "load_encoder", lambda model: FakeEncoder())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Each query is most of its document's words. Odd: a duplicate id, dangling and repeated judgments, and more."""
    documents = [(f"d{number}", text) for number, text in enumerate(TEXTS)] + [("d0", "another text"), ("blank", " ")]
    queries = [(f"q{number}", TEXTS[number].rsplit(" ", 2)[0]) for number in range(12)]
    judgments = {(f"q{number}", f"d{number}"): 1 for number in range(10)}
    odd = {("q0", "gone"): 1, ("nobody", "d1"): 1, ("q10", "d3"): 0}
    path = write_collection(tmp_path / "tiny", documents, queries, {**judgments, **odd})
    with (path / "qrels" / "test.tsv").open("a") as file:
        file.write("q1\td1\t1\n")
    return path


def run(*arguments: str | Path) -> int:
    return evaluate.main([str(argument) for argument in arguments])


def figures_of(folder: Path, *more: str | Path) -> dict[str, Any]:
    path = folder.parent / "figures.json"
    assert run("--beir", folder, "--json", path, *more) == 0
    (collection,) = json.loads(path.read_text())["collections"]
    return dict(collection)


@pytest.mark.usefixtures("fake_model")
class TestFigures:
    def test_every_rung_has_its_scores_and_what_it_keeps(self, folder: Path) -> None:
        rungs = {rung["key"]: rung for rung in figures_of(folder)["rungs"]}
        assert [*rungs][:1] + [*rungs][-1:] == ["float32", "ours"]
        assert rungs["float32"]["recall"] == 1.0
        assert rungs["float32"]["ndcg"]["kept"]["percent"] == pytest.approx(100)
        for rung in rungs.values():
            for metric in ("ndcg", "mrr"):
                kept = rung[metric]["kept"]
                assert kept["percent"] == pytest.approx(100 * rung[metric]["mean"] / rungs["float32"][metric]["mean"])
                assert kept["low"] - 1e-4 <= kept["percent"] <= kept["high"] + 1e-4

    def test_the_queries_find_their_documents(self, folder: Path) -> None:
        ours = figures_of(folder)["rungs"][-1]
        assert ours["mrr"]["mean"] > 0.8
        assert ours["ndcg"]["mean"] < 1  # q0 has a relevant document that is not there

    def test_oddities_of_the_collection_are_counted_and_reported(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        counts = figures_of(folder)["counts"]
        expected = {
            "documents": 61, "queries": 12, "scored_queries": 10, "unjudged_queries": 1,
            "queries_with_nothing_relevant": 1, "judgments": 12, "judgments_without_query": 1,
            "judgments_without_document": 1, "repeated_judgments": 1, "duplicate_document_ids": 1,
            "documents_without_text": 1,
        }  # fmt: skip
        assert counts == expected
        printed = capsys.readouterr().out
        assert "1 judgments name a query that is not there" in printed
        assert "1 documents have the id of an earlier one" in printed

    def test_it_says_that_small_collections_prove_little(
        self, folder: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert run("--beir", folder) == 0
        printed = capsys.readouterr().out
        assert "paired bootstrap over the 10 queries" in printed
        assert "plant the collection among others with --distractors" in printed

    def test_curves_have_the_articles_multipliers(self, folder: Path) -> None:
        curves = figures_of(folder)["curves"]
        assert [point["multiplier"] for point in curves["binary_depth_10"]] == list(range(1, 11))
        assert [point["multiplier"] for point in curves["int8_first_raw_codes"]] == [1, 4, 10]

    def test_two_runs_give_the_same_figures(self, folder: Path) -> None:
        assert figures_of(folder) == figures_of(folder)

    def test_distractors_join_the_documents_and_have_no_judgments(self, folder: Path) -> None:
        path = folder.parent / "others.txt"
        path.write_text("\n".join([*random_texts(200, seed=3), TEXTS[0].upper(), TEXTS[1]]))
        figures = figures_of(folder, "--distractors", path)
        assert figures["distractors"] == {"planted": 200, "identical_left_out": 2}
        assert figures["rows"] == 261
        assert figures["rungs"][-1]["mrr"]["mean"] > 0.5

    def test_several_collections_are_measured_in_turn(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        second = write_collection(folder.parent / "second", [("a", "red apple")], [("q", "apple")], {("q", "a"): 1})
        assert run("--beir", folder, "--beir", second) == 0
        printed = capsys.readouterr().out
        assert printed.index("collection tiny") < printed.index("collection second")


def assert_one_error(capsys: pytest.CaptureFixture[str], about: str) -> None:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert about in err


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_a_missing_file_is_an_error_before_anything_is_loaded(
    folder: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / name).unlink()
    assert run("--beir", folder) == 1
    assert_one_error(capsys, f"{name} is missing")


def test_a_missing_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--beir", tmp_path / "none") == 1
    assert_one_error(capsys, "there is no folder")


def test_judgments_for_other_queries_are_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "qrels" / "test.tsv").write_text("nobody\td1\t1\n")
    assert run("--beir", folder) == 1
    assert_one_error(capsys, "no judged query")


def test_distractors_that_are_not_there_are_an_error_before_anything_is_loaded(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("--beir", folder, "--distractors", folder.parent / "titles.csv") == 1
    assert_one_error(capsys, "titles.csv")


def test_distractors_without_the_column_are_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = folder.parent / "titles.csv"
    path.write_text("title,number\nred apple,1\n")
    assert run("--beir", folder, "--distractors", path, "--text-column", "absent") == 1
    assert_one_error(capsys, "no column 'absent'")


@pytest.mark.usefixtures("fake_model")
def test_figures_that_cannot_be_written_are_an_error(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--beir", folder, "--json", folder) == 1
    assert "error: cannot write" in capsys.readouterr().err


@pytest.mark.parametrize(
    "wrong", [[], ["--beir", "DIR", "--text-column", "c"], ["--beir", "DIR", "--json", "no/such/folder/f.json"]]
)
def test_wrong_usage_has_status_two(wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(*wrong)
    assert stopped.value.code == 2


@pytest.mark.model
def test_the_real_model_finds_what_people_judged_relevant(tmp_path: Path) -> None:
    documents = [("sort", "How do I sort a list?"), ("file", "Read a text file line by line"), ("json", "Parse JSON")]
    queries = [("q1", "order the elements of an array"), ("q2", "load the lines of a document")]
    folder = write_collection(tmp_path / "tiny", documents, queries, {("q1", "sort"): 1, ("q2", "file"): 1})
    figures = figures_of(folder)
    assert {rung["key"]: rung["mrr"]["mean"] for rung in figures["rungs"]}["ours"] == 1.0
