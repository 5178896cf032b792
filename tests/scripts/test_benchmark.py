"""The command that measures an index."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import retrieval.search.searcher
from retrieval import build_index, load_encoder
from retrieval.benchmark.figures.kept import kept_figures
from retrieval.bundle.bundle import Bundle
from retrieval.bundle.manifest import BENCHMARK_FILE, BINARY_FILE
from scripts import benchmark
from scripts.bench.parts import PARTS
from tests.conftest import Build, FakeEncoder, RowsCorpus, random_texts

TEXTS = random_texts(300)


@pytest.fixture
def index(build: Build, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index whose model is at hand in this process only: parts that load it in theirs fail."""
    monkeypatch.setattr(retrieval.search.searcher, "load_encoder", lambda *args, **options: FakeEncoder())
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    return build(TEXTS).path


def run(index: Path, *arguments: str | Path) -> int:
    return benchmark.main(["--index", str(index), "--limit", "5", "--rounds", "1", *map(str, arguments)])


def run_json(index: Path, *arguments: str | Path) -> dict[str, Any]:
    path = index.parent / "figures.json"
    assert run(index, "--json", path, *arguments) == 0
    return dict(json.loads(path.read_text()))


def test_a_run_names_its_index_queries_machine_and_versions(index: Path, tmp_path: Path) -> None:
    queries = tmp_path / "mine.txt"
    queries.write_text("red apple\n\ngreen pear\n")
    figures = run_json(index, "--only", "opening", "--queries", queries, "--threads", "1", "--seed", "7")
    assert figures["query_sets"]["mine"]["count"] == 2
    assert figures["index"]["binary_sha256"] == Bundle.open(index).manifest.files[BINARY_FILE].sha256
    assert (figures["threads"], figures["seed"], figures["whole"]) == (1, 7, False)
    assert figures["machine"].keys() >= {"cpu", "flags", "cores", "ram_bytes", "os"}
    assert figures["versions"].keys() >= {"python", "numpy", "faiss-cpu"}
    assert figures["parts"]["opening"]["open"]["samples"] > 1
    assert str(tmp_path) not in json.dumps(figures)


def test_a_part_that_fails_is_named_and_the_others_run(index: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = index.parent / "figures.json"
    assert run(index, "--only", "memory", "opening", "--json", path) == 1
    parts = json.loads(path.read_text())["parts"]
    assert "fake" in parts["memory"]["error"]
    assert "open" in parts["opening"]
    assert "these parts failed: memory" in capsys.readouterr().err


def test_a_part_that_needs_the_baseline_is_not_measured_without_it(index: Path, build: Build) -> None:
    bare = build(TEXTS, name="bare", baseline=False).path
    parts = run_json(bare, "--only", "sweep", "opening")["parts"]
    assert "--no-baseline" in parts["sweep"]["not_measured"]
    assert "open" in parts["opening"]


def test_a_run_is_kept_next_to_the_index_which_still_opens(index: Path) -> None:
    assert run(index, "--only", "opening") == 0
    kept = kept_figures(Bundle.open(index))
    assert kept is not None
    assert kept["parts"].keys() == {"opening"}


def test_a_partial_run_does_not_replace_a_whole_one(index: Path) -> None:
    whole = {"whole": True, "index": {"binary_sha256": Bundle.open(index).manifest.files[BINARY_FILE].sha256}}
    (index / BENCHMARK_FILE).write_text(json.dumps(whole))
    assert run(index, "--only", "opening") == 0
    assert kept_figures(Bundle.open(index)) == whole


def test_no_keep_leaves_the_index_s_folder_alone(index: Path) -> None:
    assert run(index, "--only", "opening", "--no-keep") == 0
    assert not (index / BENCHMARK_FILE).exists()


def test_texts_of_the_corpus_are_asked_without_a_file(index: Path) -> None:
    (name,) = run_json(index, "--only", "opening")["query_sets"]
    assert name == "texts of the corpus"


def test_the_help_lists_every_part() -> None:
    words = benchmark.parser().format_help().split("Parts:\n")[1].split()
    assert words.index("opening") < words.index("peers")
    assert PARTS.keys() <= set(words)


@pytest.mark.parametrize("wrong", [["--only", "all"], ["--threads", "0"], ["--quick", "--only", "scans"]])
def test_wrong_usage_ends_with_2(index: Path, wrong: list[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(index, *wrong)
    assert stopped.value.code == 2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--queries", "nowhere.txt"], "cannot read the queries"),
        (["--work", "nowhere"], "no such folder"),
        (["--json", "nowhere/figures.json"], "there is no folder"),
    ],
)
def test_unusable_arguments_end_with_one_line_on_stderr(
    index: Path, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(index, *arguments) == 1
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_two_files_of_one_name_are_refused(index: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "same.txt").write_text("red apple\n")
    assert run(index, "--queries", tmp_path / "a" / "same.txt", "--queries", tmp_path / "b" / "same.txt") == 1
    assert "called same" in capsys.readouterr().err


@pytest.mark.model
def test_both_paths_and_the_quick_run_with_the_real_model(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    corpus = RowsCorpus([{"text": text} for text in TEXTS])
    index = build_index(corpus, load_encoder(), tmp_path / "index").path
    own = run_json(index, "--only", "paths", "memory")["parts"]["paths"]["sets"]["texts of the corpus"]
    assert own["ours"]["recall"] > own["reference"]["recall"]
    assert own["reference_over_ours"] > 0
    assert run_json(index, "--quick")["parts"]["quick"]["recall"]["queries"] == 5
    assert "**whole query**" in capsys.readouterr().out
