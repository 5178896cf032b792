"""JSON that is no JSON Lines: arrays, and one object around a table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write

ROWS: list[dict[str, Any]] = [
    {"id": 1, "text": "a first text", "n": 0.5},
    {"id": None, "text": "a second text", "n": 2},
    {"id": 3, "text": "a third [text], {here}", "n": None},
]
TEXTS = [row["text"] for row in ROWS]


@pytest.mark.parametrize("indent", [None, 1])
@pytest.mark.parametrize("name", ["a.json", "a.jsonl"])
def test_an_array_of_objects_is_a_row_each(tmp_path: Path, name: str, indent: int | None) -> None:
    table = read(write(tmp_path / name, json.dumps(ROWS, indent=indent)))
    assert table["text"].to_pylist() == TEXTS
    assert table["id"].to_pylist() == [1, None, 3]


def test_an_array_with_an_object_a_line_is_read(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.json", "[\n" + ",\n".join(map(json.dumps, ROWS)) + "\n]\n")) == TEXTS


def test_an_array_of_texts_or_of_lists_is_a_row_each(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.json", json.dumps(TEXTS))) == TEXTS
    rows = FileCorpus(write(tmp_path / "b.json", json.dumps([[row["id"], row["text"]] for row in ROWS])))
    assert rows.columns == {"text": "column_2"}


def test_a_large_array_streams_and_loses_no_item(tmp_path: Path) -> None:
    rows = [{"text": f"{'word ' * 40}{n}" + ' \\"]},[{' * 2} for n in range(30_000)]
    assert texts(write(tmp_path / "a.json", json.dumps(rows))) == [row["text"] for row in rows]


@pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records", "values"])
def test_every_json_layout_of_pandas_is_read(tmp_path: Path, orient: Any) -> None:
    frame = pd.DataFrame([{"id": row["id"], "text": row["text"]} for row in ROWS])
    frame.to_json(tmp_path / "a.json", orient=orient)
    assert texts(tmp_path / "a.json") == TEXTS


def test_a_list_per_column_is_read(tmp_path: Path) -> None:
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    assert texts(write(tmp_path / "a.json", json.dumps(columns))) == TEXTS


@pytest.mark.parametrize("indent", [None, 2])
def test_rows_under_a_name_are_read_and_reported(tmp_path: Path, indent: int | None) -> None:
    whole = {"version": "1.1", "about": "some words on the data", "data": ROWS}
    path = write(tmp_path / "a.json", json.dumps(whole, indent=indent))
    assert texts(path) == TEXTS
    assert any("3 rows read from 'data'" in note and "version" in note for note in FileCorpus(path).notes)


@pytest.mark.parametrize(
    "whole", [{"response": {"docs": ROWS}}, {"took": 3, "hits": {"total": {"value": 3}, "hits": ROWS}}]
)
def test_rows_some_objects_deep_are_read_and_reported(tmp_path: Path, whole: dict[str, Any]) -> None:
    path = write(tmp_path / "a.json", json.dumps(whole))
    assert texts(path) == TEXTS
    assert any("3 rows read from '" in note for note in FileCorpus(path).notes)


def test_two_lists_of_rows_are_refused_with_their_names(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="several lists of rows: 'a', 'b'"):
        read(write(tmp_path / "a.json", json.dumps({"a": ROWS, "b": ROWS})))


def test_one_row_of_json_lines_with_a_list_in_it_stays_a_row(tmp_path: Path) -> None:
    row = {"text": "a text of five words", "answers": [{"a": 1}, {"a": 2}]}
    assert texts(write(tmp_path / "a.jsonl", json.dumps(row) + "\n")) == [row["text"]]
    assert texts(write(tmp_path / "b.json", json.dumps({"text": "a text", "meta": {"n": 1}}))) == ["a text"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('[{"text": "a"},\n{"text":}]', "item 2: not JSON"),
        ('[{"text": "a"}, 5]', "item 2: expected a JSON object"),
        ('[{"text": "a"}', "item 1: not JSON .a comma or"),
        ('[{"text": "a"} {"text": "b"}]', "item 2: not JSON"),
        ('[{"text": "a"}] []', "continues after its array"),
        ("[]", "no columns"),
        ('[{"text": "a"}, {"text": 3}]', "'text' is text in item 1 but a number in item 2"),
    ],
)
def test_a_broken_array_is_refused_with_the_item(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(CorpusError, match=message):
        read(write(tmp_path / "a.json", content))


SOURCES = [
    {"_index": "a", "_source": {"title": text, "page": {"url": f"https://a.example/{n}"}}}
    for n, text in enumerate(TEXTS)
]


@pytest.mark.parametrize("suffix", ["jsonl", "parquet"])
def test_texts_inside_objects_are_found(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    if suffix == "jsonl":
        write(path, "\n".join(map(json.dumps, SOURCES * 4)))
    else:
        pq.write_table(pa.Table.from_pylist(SOURCES * 4), path)
    corpus = FileCorpus(path)
    assert corpus.columns == {"text": "_source.title", "url": "_source.page.url"}
    assert texts(path) == TEXTS * 4
    assert any("'_source.title' is the text" in note for note in corpus.notes)


def test_a_text_inside_an_object_can_be_named_and_is_not_guessed_over_one_outside(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.jsonl", json.dumps({"title": "a title", "more": {"note": "a text with many more words"}})
    )
    assert texts(path) == ["a title"]
    assert texts(path, text_column="more.note") == ["a text with many more words"]
    with pytest.raises(CorpusError, match="more\\.other"):
        texts(path, text_column="more.other")
