"""CoNaLa curated against CoNaLa mined: a request's document is the question it came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.conala import ConalaCorpus
from retrieval.errors import CorpusError
from scripts import evaluate
from scripts.hub_stand_in.server import HubStandIn
from scripts.judged.conala_curated import CURATED_SCHEMA, ConalaQuestions, load_curated_task
from scripts.rehearse_conala import CURATED_ROWS, curated_rows, rehearsal_rows, write_repository
from tests.conftest import WORDS, FakeEncoder
from tests.corpus.test_conala import write_copy
from tests.support import run_python

CLIENT = """
import json, sys
from retrieval.corpus.conala import ConalaCorpus
from scripts.judged.conala_curated import load_curated_task
from retrieval.errors import CorpusError
try:
    task = load_curated_task(ConalaCorpus())
    print(json.dumps([len(task.queries), task.num_documents, task.num_judgments_without_document]))
except CorpusError as error:
    sys.exit(f"error: {error}")
"""


def titles(count: int) -> pa.Table:
    names = [f"{WORDS[n % len(WORDS)]} {WORDS[(3 * n + 1) % len(WORDS)]} number {n}" for n in range(count)]
    return pa.table({"question_id": range(1000, 1000 + count), "intent": names})


@pytest.fixture(scope="module")
def mined(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mined") / "mined.parquet"
    pq.write_table(rehearsal_rows(titles(100), 1_200), path)
    return path


def curated(path: Path, *rows: tuple[int | None, str | None, str | None]) -> Path:
    columns = list(zip(*rows, strict=True))
    pq.write_table(pa.table([*columns, ["x"] * len(rows)], schema=CURATED_SCHEMA), path)
    return path


def test_the_query_is_the_rewritten_intent_or_the_title(mined: Path, tmp_path: Path) -> None:
    copy = curated(tmp_path / "train.parquet", (1000, "a title", "a request"), (1001, "another title", None))
    task = load_curated_task(ConalaCorpus(mined), [copy])
    assert task.queries == {"train-0": "a request", "train-1": "another title"}
    assert task.judgments == {"train-0": {"1000": 1}, "train-1": {"1001": 1}}


def test_a_question_that_was_not_mined_is_counted(mined: Path, tmp_path: Path) -> None:
    copy = curated(tmp_path / "train.parquet", (1000, "a", None), (7, "b", None))
    assert load_curated_task(ConalaCorpus(mined), [copy]).num_judgments_without_document == 1


def test_each_mined_question_is_one_document_with_its_own_title(mined: Path) -> None:
    rows = pq.read_table(mined).to_pylist()
    table = pa.Table.from_batches(ConalaQuestions(ConalaCorpus(mined)).batches())
    first: dict[str, str] = {}
    for row in rows:
        first.setdefault(str(row["question_id"]), row["id"])
    assert dict(zip(table["_id"].to_pylist(), table["id"].to_pylist(), strict=True)) == first
    assert len(table) == len(first)


def test_questions_in_several_batches_are_still_one_document(tmp_path: Path) -> None:
    pq.write_table(rehearsal_rows(titles(50), 25_000), tmp_path / "mined.parquet")
    table = pa.Table.from_batches(ConalaQuestions(ConalaCorpus(tmp_path / "mined.parquet")).batches())
    assert len(set(table["_id"].to_pylist())) == len(table)


def test_the_rehearsal_has_rows_without_a_rewritten_request(mined: Path) -> None:
    rows = curated_rows(pq.read_table(mined), 200)
    assert rows.schema == CURATED_SCHEMA
    assert 10 < rows["rewritten_intent"].null_count < 100


@pytest.mark.parametrize(
    ("row", "told"),
    [((None, "a", "b"), "row 1: expected a question_id"), ((1000, None, None), "row 1: expected a question_id and an")],
)
def test_rows_without_question_or_words_are_named(
    mined: Path, tmp_path: Path, row: tuple[Any, Any, Any], told: str
) -> None:
    with pytest.raises(CorpusError, match=told):
        load_curated_task(ConalaCorpus(mined), [curated(tmp_path / "train.parquet", row)])


def test_another_table_is_refused_with_what_it_lacks(mined: Path, tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"curated requests: .* without rewritten_intent"):
        load_curated_task(ConalaCorpus(mined), [write_copy(tmp_path / "copy.jsonl")])


def test_two_copies_of_one_name_are_refused(mined: Path, tmp_path: Path) -> None:
    copy = curated(tmp_path / "train.parquet", (1000, "a", None))
    with pytest.raises(CorpusError, match="called 'train'"):
        load_curated_task(ConalaCorpus(mined), [copy, copy])


def test_the_whole_ladder_is_measured(mined: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("pytrec_eval", reason="needs requirements-bench.txt")
    monkeypatch.setattr(evaluate, "load_encoder", lambda model: FakeEncoder())
    copy = tmp_path / "train.parquet"
    pq.write_table(curated_rows(pq.read_table(mined), 60), copy)
    figures, path = [str(tmp_path / "figures.json"), str(copy)]
    assert evaluate.main(["--conala-curated", path, "--conala-mined", str(mined), "--json", figures]) == 0
    (found,) = json.loads(Path(figures).read_text())["collections"]
    rungs = {rung["key"]: rung for rung in found["rungs"]}
    assert (found["collection"], found["counts"]["scored_queries"]) == ("conala_curated", 60)
    assert found["rows"] == found["counts"]["documents"]
    assert rungs["ours"]["mrr"]["mean"] > 0.5


@pytest.mark.parametrize("arguments", [[], ["--conala-mined", "x.parquet"], ["--conala-mined", "x", "--beir", "y"]])
def test_options_that_do_not_go_together_are_wrong_usage(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        evaluate.main(arguments)
    assert ended.value.code == 2


def test_the_real_client_gets_all_three_files_from_the_hub(tmp_path: Path) -> None:
    rows = rehearsal_rows(titles(200), 3_000)
    write_repository(rows, tmp_path / "hub")
    with HubStandIn(tmp_path / "hub") as hub:
        done = run_python(CLIENT, HF_ENDPOINT=hub.endpoint, HF_HOME=str(tmp_path / "home"))
    assert done.stderr == ""
    assert json.loads(done.stdout) == [sum(CURATED_ROWS.values()), len(set(rows["question_id"].to_pylist())), 0]


def test_without_a_hub_one_line_says_what_to_do(tmp_path: Path) -> None:
    done = run_python(CLIENT, HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "--conala-curated FILE FILE" in done.stderr
