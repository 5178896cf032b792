"""JSON Lines: types that emerge late, and broken lines."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write


def test_json_lines_may_gain_a_column_and_turn_to_fractions_late(tmp_path: Path) -> None:
    lines = ['{"text": "a", "n": 1}'] * 20_000 + ["", '{"text": "b", "n": 0.5, "late": [1, null]}']
    table = read(write(tmp_path / "rows.jsonl", "\ufeff" + "\r\n".join(lines)))
    assert table.num_rows == FileCorpus(write(tmp_path / "rows.jsonl", "\n".join(lines))).num_rows == 20_001
    assert table.slice(20_000)["n"].to_pylist() == [0.5]
    assert table.slice(20_000)["late"].to_pylist() == [[1, None]]


def test_a_column_of_several_kinds_is_carried_as_json_text(tmp_path: Path) -> None:
    lines = (
        '{"text": "a", "x": 1}\n{"text": "b", "x": "one"}\n{"text": "c", "x": {"y": [1]}}\n{"text": "d", "x": null}\n'
    )
    assert read(write(tmp_path / "rows.jsonl", lines))["x"].to_pylist() == ["1", "one", '{"y": [1]}', None]


def test_a_text_that_changes_its_kind_is_refused_with_the_lines(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", '{"text": "a"}\n{"text": null}\n{"text": 3}\n')
    with pytest.raises(CorpusError, match="the column 'text' is text in line 1 but a number in line 3"):
        read(path)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "b"', "not a JSON object .*at column 13"),
        ("5", "expected a JSON object"),
        ("true", "expected a JSON object"),
        ("b", "not a JSON object"),
    ],
)
def test_a_broken_line_is_refused_with_its_number(tmp_path: Path, line: str, message: str) -> None:
    with pytest.raises(CorpusError, match=rf"rows\.jsonl, line 3: {message}"):
        read(write(tmp_path / "rows.jsonl", f'{{"text": "a"}}\n\n{line}\n{{"text": "c"}}\n'))


def test_half_a_character_and_huge_numbers_do_not_stop_the_build(tmp_path: Path) -> None:
    row = read(
        write(tmp_path / "rows.jsonl", '{"text": "a \\ud83d b \\ud83d\\ude00", "n": 99999999999999999999}\n')
    ).to_pylist()[0]
    assert row["text"] == "a \ufffd b \U0001f600"
    assert row["n"] == "99999999999999999999"


def test_a_line_may_be_a_text_or_a_list_of_fields(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.jsonl", '"one text"\n"another text"\n')) == ["one text", "another text"]
    assert texts(write(tmp_path / "b.jsonl", '{"text": "one text"}\n"another text"\n')) == ["one text", "another text"]
