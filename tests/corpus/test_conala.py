"""CoNaLa: from a local copy, from a stand-in of the hub with the real client, and without any hub."""

from __future__ import annotations

import json
import subprocess
import textwrap
from collections import Counter
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.base import BATCH_ROWS, COMMON_COLUMNS
from retrieval.corpus.conala import SCHEMA, ConalaCorpus
from retrieval.errors import CorpusError
from scripts.hub_stand_in.server import HubStandIn
from scripts.rehearse_conala import rehearsal_rows, write_repository
from tests.conftest import shared_path
from tests.support import run_python

NUM_ROWS = 3_000
CLIENT = textwrap.dedent(
    """
    import json, sys
    import pyarrow as pa
    from retrieval.corpus.conala import ConalaCorpus
    from retrieval.errors import CorpusError
    try:
        corpus = ConalaCorpus()
        table = pa.Table.from_batches(corpus.batches())
        print(json.dumps({"num_rows": corpus.num_rows, "columns": table.schema.names, "ids": table["id"].to_pylist()}))
    except CorpusError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    """
)


def titles(count: int = 400) -> pa.Table:
    return pa.table(
        {"question_id": range(1000, 1000 + count), "intent": [f"how to do thing {n}" for n in range(count)]}
    )


@pytest.fixture(scope="module")
def rows() -> pa.Table:
    return rehearsal_rows(titles(), NUM_ROWS)


@pytest.fixture(scope="module")
def hub_root(rows: pa.Table, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("hub")
    write_repository(rows, root)
    return root


@pytest.fixture(scope="module")
def loaded(hub_root: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    home = tmp_path_factory.mktemp("hf_home")
    with HubStandIn(hub_root) as hub:
        return run_python(CLIENT, HF_ENDPOINT=hub.endpoint, HF_HOME=str(home)), home


def read(path: Path) -> pa.Table:
    return pa.Table.from_batches(ConalaCorpus(path).batches())


def write_copy(path: Path, **changes: Any) -> Path:
    row = {
        **{"question_id": 7, "parent_answer_post_id": 8, "prob": 0.5, "snippet": "sorted(l)", "intent": "sort a list"},
        **{"id": "7_8_0", **changes},
    }
    path.write_text(json.dumps({name: value for name, value in row.items() if value is not None}) + "\n")
    return path


def test_the_title_is_the_text_and_the_snippet_the_body(tmp_path: Path) -> None:
    (row,) = read(write_copy(tmp_path / "copy.jsonl")).to_pylist()
    assert (row["text"], row["body"]) == ("sort a list", "sorted(l)")
    assert (row["group"], row["quality"]) == ("7", 0.5)
    assert row["url"] == "https://stackoverflow.com/questions/7"


def test_the_source_columns_follow_in_the_order_of_the_hub(tmp_path: Path) -> None:
    table = read(write_copy(tmp_path / "copy.jsonl", extra="not one of CoNaLa's"))
    assert table.schema.names == [*COMMON_COLUMNS, *SCHEMA.names]


def test_a_parquet_copy_and_a_json_lines_copy_are_the_same_corpus(tmp_path: Path, rows: pa.Table) -> None:
    pq.write_table(rows, tmp_path / "copy.parquet")
    (tmp_path / "copy.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows.to_pylist()))
    assert read(tmp_path / "copy.parquet").equals(read(tmp_path / "copy.jsonl"))


def test_batches_are_bounded_and_share_a_schema(tmp_path: Path) -> None:
    pq.write_table(rehearsal_rows(titles(), 25_000), tmp_path / "copy.parquet")
    batches = list(ConalaCorpus(tmp_path / "copy.parquet").batches())
    assert [batch.num_rows for batch in batches] == [BATCH_ROWS, BATCH_ROWS, 5_000]
    assert len({batch.schema.to_string() for batch in batches}) == 1


def test_another_table_is_refused_with_the_columns_it_lacks(tmp_path: Path) -> None:
    path = write_copy(tmp_path / "copy.jsonl", prob=None)
    with pytest.raises(CorpusError, match=r"found question_id, .* without prob\. .*--corpus file"):
        read(path)


def test_ids_that_are_not_numbers_are_refused(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="not a copy of CoNaLa"):
        read(write_copy(tmp_path / "copy.jsonl", question_id="seven"))


def test_stack_overflow_is_credited() -> None:
    info = ConalaCorpus().info
    assert "Stack Overflow" in str(info.attribution)
    assert "CC BY-SA 4.0" in str(info.attribution)
    assert len(info.examples) == 6


def test_the_rehearsal_is_skewed_like_the_real_rows() -> None:
    rows = rehearsal_rows(titles(2_000), 30_000)
    counts = sorted(Counter(rows["intent"].to_pylist()).values())
    prob = rows["prob"].to_pylist()
    assert rows.schema == SCHEMA
    assert counts[-1] == 5_000
    assert 5 <= counts[len(counts) // 2] <= 20
    assert prob == sorted(prob, reverse=True)
    assert len(set(rows["id"].to_pylist())) == 30_000


def test_the_real_client_loads_every_row_from_the_hub(
    loaded: tuple[subprocess.CompletedProcess[str], Path], rows: pa.Table
) -> None:
    done, _ = loaded
    assert done.stderr == ""
    answer = json.loads(done.stdout)
    assert answer["num_rows"] == NUM_ROWS
    assert answer["columns"] == [*COMMON_COLUMNS, *SCHEMA.names]
    assert answer["ids"] == rows["id"].to_pylist()


@pytest.mark.parametrize("offline", ["0", "1"])
def test_a_corpus_that_was_loaded_once_needs_no_hub(
    loaded: tuple[subprocess.CompletedProcess[str], Path], rows: pa.Table, offline: str
) -> None:
    done = run_python(CLIENT, HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(loaded[1]), HF_HUB_OFFLINE=offline)
    assert done.stderr == ""
    assert json.loads(done.stdout)["ids"] == rows["id"].to_pylist()


def test_without_a_hub_one_line_says_what_to_do(tmp_path: Path) -> None:
    done = run_python(CLIENT, HF_ENDPOINT="http://127.0.0.1:9", HF_HOME=str(tmp_path))
    assert done.returncode == 1
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1
    assert "the hub cannot be reached at http://127.0.0.1:9" in done.stderr
    assert "--path" in done.stderr
    assert "--corpus python" in done.stderr


def test_a_hub_without_the_file_is_one_line_too(tmp_path: Path, hub_root: Path) -> None:
    with HubStandIn(hub_root / "nothing") as hub:
        done = run_python(CLIENT, HF_ENDPOINT=hub.endpoint, HF_HOME=str(tmp_path))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "neulab/conala cannot be loaded from the hub" in done.stderr


@pytest.mark.shared
def test_the_genuine_sample_is_read_whole() -> None:
    path = shared_path("corpora/conala-mined-sample.parquet")
    table = read(path)
    assert table.num_rows == ConalaCorpus(path).num_rows == 2_911
    assert table["url"][0].as_py() == f"https://stackoverflow.com/questions/{table['question_id'][0]}"
    assert table.select(SCHEMA.names).equals(pq.read_table(path))
    assert table["text"].null_count == 0
