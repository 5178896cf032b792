"""Tables as a corpus: every format, from a file, a folder and the hub."""

from __future__ import annotations

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.base import BATCH_ROWS, COMMON_COLUMNS
from retrieval.corpus.files import FileCorpus
from retrieval.errors import CorpusError
from scripts.hub_stand_in.folders import revision_folder
from scripts.hub_stand_in.server import HubStandIn
from tests.conftest import shared_path
from tests.file_corpora import read, texts, write
from tests.support import PATIENCE_S

ROWS = {"title": ["sort a list", "read a file"], "code": ["l.sort()", "open(p)"], "link": ["http://a", "http://b"]}


def write_as(kind: str, folder: Path) -> Path:
    path = folder / f"rows.{kind}"
    table = pa.table(ROWS)
    rows = table.to_pylist()
    if kind == "parquet":
        pq.write_table(table, path)
    elif kind == "jsonl":
        path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    elif kind == "saved":
        from datasets import Dataset

        Dataset(table).save_to_disk(str(path))
    else:
        mark = {"csv": ",", "tsv": "\t"}[kind]
        path.write_text("".join(mark.join(line) + "\n" for line in [tuple(ROWS), *zip(*ROWS.values(), strict=True)]))
    return path


@pytest.mark.parametrize("kind", ["csv", "tsv", "jsonl", "parquet", "saved"])
def test_every_format_gives_the_same_rows(kind: str, tmp_path: Path) -> None:
    corpus = FileCorpus(write_as(kind, tmp_path))
    assert corpus.columns == {"text": "title", "body": "code", "url": "link"}
    table = pa.Table.from_batches(corpus.batches())
    assert table.schema.names == [*COMMON_COLUMNS, *ROWS]
    assert table.select(["text", "body", "url"]).to_pydict() == dict(
        zip(("text", "body", "url"), ROWS.values(), strict=True)
    )


def test_plain_text_is_a_document_a_line_and_blank_lines_count(tmp_path: Path) -> None:
    table = read(write(tmp_path / "notes.txt", "one\r\n\r\ntwo\u2028still two"))
    assert table["text"].to_pylist() == ["one", "", "two\u2028still two"]
    assert table["line"].to_pylist() == [1, 2, 3]


def test_batches_are_bounded_and_share_a_schema(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "text,n\n" + "".join(f"document {n},{n}\n" for n in range(25_000)))
    batches = list(FileCorpus(path).batches())
    assert max(batch.num_rows for batch in batches) <= BATCH_ROWS
    assert sum(batch.num_rows for batch in batches) == 25_000
    assert len({batch.schema.to_string() for batch in batches}) == 1


def test_reading_twice_gives_the_same_batches(tmp_path: Path) -> None:
    corpus = FileCorpus(write(tmp_path / "rows.csv", "text\n" + "document\n" * 15_000))
    first, second = list(corpus.batches()), list(corpus.batches())
    assert all(one.equals(other) for one, other in zip(first, second, strict=True))


def test_nulls_are_kept_for_the_indexer_to_count(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a", None, ""]}), tmp_path / "rows.parquet")
    assert texts(tmp_path / "rows.parquet") == ["a", None, ""]


def test_own_columns_of_any_type_are_carried(tmp_path: Path) -> None:
    day = datetime.date(2024, 2, 29)
    columns = {
        "text": pa.array(["a", "b"]).dictionary_encode(),
        "tags": [["x"], []],
        "day": [day, None],
        "place": [{"x": 1}, {"x": 2}],
        "words": pa.array([["u"], None], pa.list_(pa.dictionary(pa.int32(), pa.string()))),
        "nothing": pa.nulls(2),
        "large": pa.array(["l", "m"], pa.large_string()),
    }
    pq.write_table(pa.table(columns), tmp_path / "rows.parquet", row_group_size=1)
    table = read(tmp_path / "rows.parquet")
    first = table.to_pylist()[0]
    assert (first["text"], first["tags"], first["day"], first["place"]) == ("a", ["x"], day, {"x": 1})
    assert (first["words"], first["nothing"], first["large"]) == ('["u"]', None, "l")
    assert not any(pa.types.is_dictionary(kind) for kind in table.schema.types)


def test_a_data_set_with_splits_gives_train_or_the_only_one(tmp_path: Path) -> None:
    from datasets import Dataset, DatasetDict

    one, other = Dataset.from_dict({"text": ["a"]}), Dataset.from_dict({"text": ["b"]})
    DatasetDict({"test": other, "train": one}).save_to_disk(str(tmp_path / "train"))
    DatasetDict({"test": other}).save_to_disk(str(tmp_path / "only"))
    DatasetDict({"test": other, "dev": one}).save_to_disk(str(tmp_path / "two"))
    assert texts(tmp_path / "train") == ["a"]
    assert texts(tmp_path / "only") == ["b"]
    with pytest.raises(CorpusError, match="has the splits test, dev"):
        read(tmp_path / "two")


def test_a_damaged_data_set_is_refused(tmp_path: Path) -> None:
    path = write_as("saved", tmp_path)
    for part in path.glob("*.arrow"):
        part.write_bytes(part.read_bytes()[:100])
    with pytest.raises(CorpusError, match=r"cannot be read|is damaged"):
        read(path)


def test_damage_inside_a_parquet_file_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": [f"document {n}" for n in range(5_000)]}), path)
    content = bytearray(path.read_bytes())
    content[10:3_000] = bytes(2_990)
    path.write_bytes(content)
    with pytest.raises(CorpusError, match="damaged Parquet"):
        read(path)


def test_nothing_is_opened_before_it_is_needed(tmp_path: Path) -> None:
    corpus = FileCorpus(tmp_path / "gone.csv")
    assert corpus.info.title == "gone.csv"
    assert "gone.csv" in repr(corpus)


def test_an_owner_and_a_name_are_a_data_set_on_the_hub(tmp_path: Path) -> None:
    branch = revision_folder(tmp_path / "hub", "someone/notes")
    branch.mkdir(parents=True)
    write_as("csv", branch)
    program = (
        "from retrieval.corpus.files import FileCorpus; corpus = FileCorpus('someone/notes');"
        "print(corpus.info.attribution_url, corpus.columns, next(corpus.batches())['text'].to_pylist())"
    )
    with HubStandIn(tmp_path / "hub") as hub:
        env = {**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(tmp_path / "home")}
        done = subprocess.run(
            [sys.executable, "-c", program], env=env, capture_output=True, text=True, timeout=PATIENCE_S
        )
    assert done.stderr == ""
    assert "https://huggingface.co/datasets/someone/notes" in done.stdout
    assert str(ROWS["title"]) in done.stdout


@pytest.mark.shared
def test_half_a_million_rows_stream_in_bounded_memory() -> None:
    corpus = FileCorpus(shared_path("corpora/package-summaries-593891.parquet"))
    before = pa.total_allocated_bytes()
    num_rows = most = 0
    for batch in corpus.batches():
        num_rows += batch.num_rows
        most = max(most, pa.total_allocated_bytes() - before)
    assert num_rows == corpus.num_rows == 593_891
    assert most < 100_000_000
