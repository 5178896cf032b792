"""What is read of a Python file, and how it is worded."""

from __future__ import annotations

from pathlib import Path

import pytest

from retrieval.corpus.python.source import read_source
from retrieval.corpus.python.wording import CUT_MARK, capped, shortened, stub_of, summary, text_of

# Source


def test_the_documented_definition_of_a_name_speaks_for_it(tmp_path: Path) -> None:
    path = tmp_path / "twice.py"
    path.write_text(
        "try:\n    def f(): ...\nexcept ImportError:\n    def f():\n        'Do it.'\n"
        "if f:\n    def g():\n        'Go.'\n"
    )
    source = read_source(path)
    assert source is not None
    assert {name: definition.doc for name, definition in source.definitions.items()} == {"f": "Do it.", "g": "Go."}
    assert source.code("g") == "    def g():\n        'Go.'"


def test_a_docstring_made_at_run_time_is_shown_in_its_place(tmp_path: Path) -> None:
    path = tmp_path / "made.py"
    path.write_text("class C:\n    @deco\n    def f(\n        self,\n    ):\n        return 1\ndef g(): return 2\n")
    source = read_source(path)
    assert source is not None
    assert source.code("C.f", '"""Do it."""') == (
        '    @deco\n    def f(\n        self,\n    ):\n        """Do it."""\n        return 1'
    )
    assert source.code("C", '"""Be."""') == (
        'class C:\n    """Be."""\n    @deco\n    def f(\n        self,\n    ):\n        return 1'
    )
    assert source.code("g", '"""Go."""') is None


def test_only_what_all_lists_is_public(tmp_path: Path) -> None:
    path = tmp_path / "listed.py"
    path.write_text("__all__ = ['a']\ndef a(): 'A.'\ndef b(): 'B.'\n")
    source = read_source(path)
    assert source is not None
    assert [definition.qualname for definition in source.public()] == ["a"]


@pytest.mark.parametrize("content", [b"def f(:\n", b"\x00\x01", b"# coding: nonsense\n", b"x = '\xff'\n"])
def test_unreadable_source_is_none(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "bad.py"
    path.write_bytes(content)
    assert read_source(path) is None


# Wording


@pytest.mark.parametrize(
    ("doc", "name", "expected"),
    [
        ("Do it.\n\nIn detail.", "f", "Do it."),
        ("Do it\n    over two lines.", "f", "Do it over two lines."),
        ("Do it, e.g. Thus, i.e. So. Then rest.", "f", "Do it, e.g. Thus, i.e. So."),
        ("f(x) -> int\n\nCount x.", "f", "Count x."),
        ("S.f(sub[, start[, end]]) -> int\n\nFind sub.", "f", "Find sub."),
        ("f(a,\n  b=(1, 2),\n  c=None)\n\nAdd all.", "f", "Add all."),
        ("f(x) -> value\nf(x, y) -> value\n\nChoose.", "f", "Choose."),
        (
            "D.f(k[,d]) -> v, remove the key and return its value.\n\nIf not",
            "f",
            "v, remove the key and return its value.",
        ),
        ("D.f() -> None.  Remove all items.", "f", "Remove all items."),
        ("S.f(x) -> integer -- return the number of x.", "f", "return the number of x."),
        ("f(k) -> x.  Generates k bits.  Slowly.", "f", "x. Generates k bits."),
        ("Compute a ** b ** c, **always**.", "f", "Compute a ** b ** c, always."),
        ("f() --> compiled object", "f", "compiled object"),
        ("other_name() -> lock object\n\nMake a lock.", "f", "Make a lock."),
        ("rows = f(path)\n    for row in rows:\n        use(row)\n\nRead rows.", "f", "Read rows."),
        ("str -> Construct a date.", "f", "Construct a date."),
        (".. deprecated:: 2.0\n\nDo it still.", "f", "Do it still."),
        ("Use :func:`~os.path.join`, ``x`` and `y`_.", "f", "Use os.path.join, x and y_."),
        ("See `the page <https://example.org>`_ for more.", "f", None),
        ("f(x, y)", "f", None),
        ("f", "f", None),
        ("Parameters\n----------\nx : int", "f", None),
        ("   \n", "f", None),
    ],
)
def test_the_summary_is_the_first_sentence_that_says_something(doc: str, name: str, expected: str | None) -> None:
    assert summary(doc, name) == expected


def test_the_words_of_a_compound_name_stand_behind_the_sentence() -> None:
    assert text_of("os.get_exec_path", "Return it.") == "os.get_exec_path: Return it. (get exec path)"
    assert text_of("ast.NodeVisitor", "Visit.") == "ast.NodeVisitor: Visit. (node visitor)"
    assert text_of("http.HTTPServer", "Serve.") == "http.HTTPServer: Serve. (http server)"
    assert text_of("ipaddress.IPv4Address", "Be.") == "ipaddress.IPv4Address: Be. (ipv4 address)"
    assert text_of("os.listdir", "List.") == "os.listdir: List."
    assert len(text_of("a.b_c", "word " * 100)) <= 400


def test_long_text_ends_behind_a_sentence_or_a_word() -> None:
    assert shortened("One sentence here. Another that is too long.", 30) == "One sentence here."
    assert shortened("word " * 20, 22) == "word word word word…"
    assert shortened("short", 30) == "short"


def test_a_long_body_is_cut_and_marked() -> None:
    cut = capped("\n".join(f"    line {number}" for number in range(100))).split("\n")
    assert (len(cut), cut[0], cut[-1]) == (61, "line 0", CUT_MARK)
    assert capped("x" * 5000) == CUT_MARK
    assert capped("    short\n        indented") == "short\n    indented"


def test_a_stub_is_python_whatever_the_docstring_holds() -> None:
    stub = stub_of("f", "function", "(x)", 'Say """hello""".\n\nTwice.')
    assert stub == "def f(x):\n    '''Say \"\"\"hello\"\"\".\n\n    Twice.\n    '''"
    assert stub_of("C", "class", None, "Be.") == 'class C:\n    """Be."""'
