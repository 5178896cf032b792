"""CSV and TSV as other programs write them: delimiters, quotes, and files without a header."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.corpus.files import FileCorpus
from retrieval.corpus.readers.base import ReadOptions
from retrieval.errors import CorpusError
from tests.file_corpora import read, texts, write

SENTENCES = ("The robot polishes an old map", "The dog invents the last train", "The baker melts a silver coin")


@pytest.mark.parametrize(
    ("name", "content", "header"),
    [
        ("a.csv", "sep=;\nid;text\n0;x y\n", ["id", "text"]),
        ("a.csv", 'sep=|\r\nid|text\r\n0|"x|y"\r\n', ["id", "text"]),
        ("a.csv", '"Question, short";Answer\n"x y";"a"\n', ["Question, short", "Answer"]),
        ("a.csv", "Question, short\tAnswer\nx y\ta\n", ["Question, short", "Answer"]),
        ("a.csv", '"a\ntext, of it";n\nx y;1\n', ["a\ntext, of it", "n"]),
        ("a.csv", "id|title|text\n0|T|x, y; z\n", ["id", "title", "text"]),
        ("a.csv", "id;price;text\n1;1,5;x y\n2;2,5;more, of it\n", ["id", "price", "text"]),
        ("a.tsv", "id,text\n1,x y\n2,z\n", ["id", "text"]),
        ("a.csv", "id,text\n1,a;b\n2,c;d\n", ["id", "text"]),
    ],
)
def test_delimiters_count_outside_quotes_over_several_rows(
    tmp_path: Path, name: str, content: str, header: list[str]
) -> None:
    path = write(tmp_path / name, content)
    assert FileCorpus(path).sample.schema.names == header
    assert FileCorpus(path).sample.num_rows == content.count("\n") - 1 - content.startswith("sep=") - (
        "a\n" in header[0]
    )


def test_a_header_of_one_column_that_holds_delimiters_gets_a_note(tmp_path: Path) -> None:
    corpus = FileCorpus(write(tmp_path / "a.csv", "name;and more\nplain words\nother words\n"))
    assert corpus.sample.schema.names == ["name;and more"]
    assert any("holds semicolons" in note for note in corpus.notes)


def test_a_tsv_with_quotes_as_text_loses_no_row(tmp_path: Path) -> None:
    path = write(tmp_path / "a.tsv", 'id\ttext\n1\t"Hello there, stranger\n2\tGoodbye" said the other\n3\tplain\n')
    assert texts(path) == ['"Hello there, stranger', 'Goodbye" said the other', "plain"]
    assert any("part of the text" in note for note in FileCorpus(path).notes)


def test_a_tsv_whose_quotes_would_only_join_rows_is_a_row_per_line(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.tsv", 'id\ttext\n1\t"Hello\n2\tworld"\n')) == ['"Hello', 'world"']


@pytest.mark.parametrize(
    ("content", "text"),
    [
        ('id\ttext\n1\t"Hello\nworld"\n', "Hello\nworld"),
        ('id\ttext\n1\t"Hello ""you"" there"\n', 'Hello "you" there'),
        ('id\ttext\n1\tHello "you" there\n', 'Hello "you" there'),
    ],
)
def test_a_tsv_that_is_quoted_well_is_read_so(tmp_path: Path, content: str, text: str) -> None:
    assert texts(write(tmp_path / "a.tsv", content)) == [text]


def test_backslashes_before_quotes_escape_them(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id,text\n1,"The \\"great\\" boat"\n2,"A 5\\" pipe, cut in two"\n3,"words"\n')
    assert texts(path) == ['The "great" boat', 'A 5" pipe, cut in two', "words"]
    assert any('\\" inside' in note for note in FileCorpus(path).notes)


def test_a_backslash_at_the_end_of_a_field_that_is_quoted_well_is_a_backslash(tmp_path: Path) -> None:
    assert texts(write(tmp_path / "a.csv", 'id,text\n1,"in C:\\dir\\"\n2,"b"\n')) == ["in C:\\dir\\", "b"]


def test_spaces_before_quotes_do_not_count(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", 'id, text\n1, "a, b"\n2, "c ""d"""\n')
    assert texts(path) == ["a, b", 'c "d"']
    assert FileCorpus(path).columns == {"text": "text"}
    assert texts(path, options=ReadOptions(has_header=False)) == ["text", "a, b", 'c "d"']


def test_quotes_that_make_no_sense_are_refused_with_the_line(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 3: a quoted field continues after its closing quote"):
        read(write(tmp_path / "a.csv", 'id,text\n1,"a, b"\n2,"open\n" or not, or so\n'))


@pytest.mark.parametrize(("name", "mark"), [("a.csv", ","), ("a.tsv", "\t")])
def test_a_first_line_that_looks_like_data_is_reported_and_can_be_read_as_such(
    tmp_path: Path, name: str, mark: str
) -> None:
    path = write(tmp_path / name, "".join(f"{n}{mark}{text}\n" for n, text in enumerate(SENTENCES)))
    assert any("looks like data" in note and "--no-header" in note for note in FileCorpus(path).notes)
    corpus = FileCorpus(path, options=ReadOptions(has_header=False))
    assert corpus.columns == {"text": "column_2"}
    assert next(corpus.batches())["text"].to_pylist() == list(SENTENCES)
    assert not any("looks like data" in note for note in corpus.notes)


@pytest.mark.parametrize("header", ["id,text", "2019,2020", "How do you like it all in all?,text"])
def test_a_header_is_not_taken_for_data(tmp_path: Path, header: str) -> None:
    rows = "".join(f"word,{text}\n" for text in SENTENCES)
    assert not any("data" in note for note in FileCorpus(write(tmp_path / "a.csv", f"{header}\n{rows}")).notes)


def test_a_format_without_a_header_refuses_the_option(tmp_path: Path) -> None:
    path = write(tmp_path / "a.txt", "one\ntwo\n")
    refused = {
        "--no-header": ReadOptions(has_header=False), "--table": ReadOptions(table="x"),
        "--split": ReadOptions(split="test"),
    }  # fmt: skip
    for option, options in refused.items():
        with pytest.raises(CorpusError, match=f"a text file.*{option}"):
            next(FileCorpus(path, options=options).batches())


def test_a_mark_that_is_only_inside_quotes_separates_nothing(tmp_path: Path) -> None:
    path = write(
        tmp_path / "a.csv", 'id;text;"x, y"\n' + "".join(f'{n};{text};"one, two"\n' for n, text in enumerate(SENTENCES))
    )
    assert FileCorpus(path).sample.schema.names == ["id", "text", "x, y"]
    assert texts(path) == list(SENTENCES)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_the_mark_that_a_first_line_names_is_taken(tmp_path: Path, end: str) -> None:
    assert texts(write(tmp_path / "a.csv", end.join(["sep=;", "id;text", "1;a, b", "2;c"]))) == ["a, b", "c"]


@pytest.mark.parametrize(
    "above", ["# exported today\n# by a tool\n", "My export,,\n,,\n", "My export\n\n", "\n# a comment\n"]
)
def test_comments_and_a_title_above_the_names_are_left_out_and_reported(tmp_path: Path, above: str) -> None:
    rows = "".join(f"{n},{text},x\n" for n, text in enumerate(SENTENCES))
    path = write(tmp_path / "a.csv", f"{above}id,text,kind\n{rows}")
    assert texts(path) == list(SENTENCES)
    assert any("line 3" in note for note in FileCorpus(path).notes)


@pytest.mark.parametrize("header", ["#,text,kind", ",text,kind", "id,text,"])
def test_a_header_with_a_blank_or_odd_name_is_a_header(tmp_path: Path, header: str) -> None:
    rows = "".join(f"{n},{text},x\n" for n, text in enumerate(SENTENCES))
    assert texts(write(tmp_path / "a.csv", f"{header}\n{rows}")) == list(SENTENCES)


def test_a_row_of_another_width_is_never_taken_for_a_title(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match="line 4: expected 2 fields"):
        read(write(tmp_path / "a.csv", "id,text\n1,a b\n2,c d\n3,e f,g\n4,h i\n5,j k\n"))
