"""The guess of what each column is: words make a text, whatever the names and lengths; and the reasons are told."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.corpus.value_kinds import kind_of_column, kind_of_value, num_words
from retrieval.errors import CorpusError
from tests.file_corpora import read, write

NAMES = ("cat", "old dog", "robot", "river bank", "castle")
OTHERS = {
    "web addresses": [f"https://www.example.com/shops/{n}/{'x' * 30}" for n in range(5)],
    "identifiers": [f"6513270e-269e-0d37-f2a7-4de452e6b43{n}" for n in range(5)],
    "dates and times": [f"2024-03-0{n}T10:20:30.000+00:00" for n in range(1, 6)],
    "hashes": [f"53aa51172d142c89d9012cce15ae4d6cc0ca689589511437{n}abb" for n in range(10, 15)],
    "paths": [f"/home/user/documents/letters/number {n}.txt" for n in range(5)],
    "lists of numbers": [str([n + 0.1234, -1.5, 2e-5, 0.25, 17]) for n in range(5)],
    "e-mail addresses": [f"somebody.with.a.name{n}@mail.example.org" for n in range(5)],
    "codes": [f"AB-{n}00-XYZ-{n}999-LONG-CODE" for n in range(5)],
    "JSON": [json.dumps({"name": "a few words here", "n": n}) for n in range(5)],
    "numbers": [f"{n}234567890123456.5" for n in range(1, 6)],
}


def corpus_of(folder: Path, **columns: list[str]) -> FileCorpus:
    pq.write_table(pa.table(columns), folder / "rows.parquet")
    return FileCorpus(folder / "rows.parquet")


@pytest.mark.parametrize("kind", OTHERS)
def test_a_column_without_words_is_not_a_text_however_long(tmp_path: Path, kind: str) -> None:
    assert kind_of_column(OTHERS[kind]) == kind
    corpus = corpus_of(tmp_path, first=OTHERS[kind], label=list(NAMES))
    assert corpus.columns["text"] == "label"
    assert any("'label' is the text, the only column with words" in note for note in corpus.notes)
    assert f"Not used as the text: 'first' ({kind})." in corpus.notes or corpus.columns.get("url") == "first"


@pytest.mark.parametrize("kind", OTHERS)
def test_not_even_the_name_text_makes_one(tmp_path: Path, kind: str) -> None:
    assert corpus_of(tmp_path, text=OTHERS[kind], label=list(NAMES)).columns["text"] == "label"


@pytest.mark.parametrize(
    "text",
    [
        "مرحبا بالعالم",
        "東京は日本の首都です",
        "नमस्ते दुनिया",
        "ข้อความภาษาไทย",
        "Привет мир",
        "A 5-star hotel, see https://example.org",
        "[SOLVED] how to read a file",
        "2024 was a good year",
    ],
)
def test_texts_in_any_script_and_with_numbers_have_words(text: str) -> None:
    assert kind_of_value(text) is None
    assert num_words(text) > 0


def test_a_category_of_few_long_names_is_not_preferred_to_short_distinct_ones(tmp_path: Path) -> None:
    corpus = corpus_of(
        tmp_path, shelf=["Household and Garden"] * 40, thing=[f"{NAMES[n % 5]} {'abcdefgh'[n % 8]}" for n in range(40)]
    )
    assert corpus.columns["text"] == "thing"


def test_a_column_that_is_mostly_empty_is_not_the_text_by_its_name(tmp_path: Path) -> None:
    corpus = corpus_of(tmp_path, comment=["good", "", "", "", ""], thing=list(NAMES))
    assert corpus.columns["text"] == "thing"


def test_the_one_column_with_web_addresses_is_the_link_and_pictures_are_none(tmp_path: Path) -> None:
    links = OTHERS["web addresses"]
    assert corpus_of(tmp_path, name=list(NAMES), place=links).columns == {"text": "name", "url": "place"}
    assert corpus_of(tmp_path, name=list(NAMES), thumbnail=links).columns == {"text": "name"}


def test_each_column_that_is_taken_is_reported_with_its_reason(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "text,body,link,group,quality\n" + "a b,c,http://x,A,0.5\nd e,f,http://y,B,1\n")
    notes = FileCorpus(path, text_column="text").notes
    assert [note.split(",")[0] for note in notes] == [
        "Column 'text' is the text",
        "Column 'body' is the body",
        "Column 'link' is the link",
        "Column 'group' is the group",
        "Column 'quality' is the quality",
    ]
    assert "as given" in notes[0]
    assert "because of its name" in notes[1]
    assert "one hit (2 values in 2 rows)" in notes[3]


@pytest.mark.parametrize("role", ["body", "url", "group", "quality"])
def test_each_guess_can_be_switched_off(tmp_path: Path, role: str) -> None:
    path = write(tmp_path / "rows.csv", "text,body,url,group,quality\na b,c,http://x,A,0.5\n")
    assert role in FileCorpus(path).columns
    table = read(path, **{f"{role}_column": ""})
    assert table[role].to_pylist() == [None]
    assert len(table["source_" + role]) == 1


def test_the_text_cannot_be_switched_off(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="--text-column"):
        read(write(tmp_path / "rows.csv", "text\na b\n"), text_column="")


def test_a_guessed_quality_with_a_late_word_in_it_is_dropped_with_a_note(tmp_path: Path) -> None:
    rows = [f"row text {n},{n / 20_000}" for n in range(10_020)] + ["late,n/a", "later,0.5"]
    corpus = FileCorpus(write(tmp_path / "rows.csv", "text,quality\n" + "\n".join(rows) + "\n"))
    table = pa.Table.from_batches(corpus.batches())
    assert (table.num_rows, table["quality"].null_count) == (10_022, 10_022)
    assert "quality" not in corpus.columns
    assert any("row 10,021 has 'n/a'" in note for note in corpus.notes)


def test_a_quality_that_is_given_stays_and_a_word_in_it_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.csv", "text,quality\na b,1\nc d,n/a\n")
    with pytest.raises(CorpusError, match="'quality' cannot be read as quality"):
        read(path, quality_column="quality")


def test_a_quality_that_is_nan_is_none(tmp_path: Path) -> None:
    path = write(tmp_path / "rows.jsonl", '{"text": "a b", "quality": NaN}\n{"text": "c", "quality": 0.5}\n')
    assert read(path)["quality"].to_pylist() == [None, 0.5]


def test_vectors_in_a_column_are_noted_and_left_out_when_they_are_used(tmp_path: Path) -> None:
    pq.write_table(pa.table({"text": ["a b", "c d"], "vec": [[0.5] * 16, [0.25] * 16]}), tmp_path / "rows.parquet")
    assert any(
        "'vec' holds vectors, which are not used" in note for note in FileCorpus(tmp_path / "rows.parquet").notes
    )
    printed = write(tmp_path / "rows.csv", 'name,vec\na b,"[0.5, 1, 2, 3, 4, 5, 6, 7]"\n')
    assert any("'vec' holds vectors, which are not used" in note for note in FileCorpus(printed).notes)
    corpus = FileCorpus(tmp_path / "rows.parquet", embeddings_column="vec")
    assert "vec" not in next(corpus.batches()).schema.names
    assert not any("vectors" in note for note in corpus.notes)
    assert [vector[0] for batch in corpus.vectors() for vector in batch.to_pylist()] == [0.5, 0.25]
