"""What the commands print: cut, printable in any encoding, and quiet when nobody reads on."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from retrieval import BuildOptions, build_index
from retrieval.results import json_values
from scripts.report.terminal import printable
from tests.conftest import RowsCorpus
from tests.support import PATIENCE_S

ROOT = Path(__file__).parents[2]
HOSTILE = "red\x1b[2J\x1b]0;title\x07 \u202eelppa\r\x9b31m"


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Returns an index of given vectors, with the query vectors q.npy, one for each of its first rows."""
    folder = tmp_path_factory.mktemp("terminal")
    vectors = np.eye(40, 16, dtype=np.float32) + 0.01 * np.random.default_rng(0).standard_normal((40, 16))
    np.save(folder / "v.npy", vectors)
    np.save(folder / "q.npy", vectors[:3])
    rows: list[dict[str, Any]] = [
        {"text": HOSTILE, "body": f"{HOSTILE}\nsecond line", "url": f"https://example.org/{HOSTILE}"},
        {"text": "long " * 140_000, "body": "b" * 700_000, "quality": float("nan")},
        {"text": "naïve 日本語 🍎"},
        *({"text": f"text {number}"} for number in range(37)),
    ]
    build_index(RowsCorpus(rows), None, folder / "index", BuildOptions(embeddings=folder / "v.npy"))
    return folder / "index"


def search(index: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "scripts/search.py", "--index", str(index), "--vector", str(index.parent / "q.npy")]
    here = {**os.environ, "PYTHONPATH": str(ROOT), **environment}
    return subprocess.run(
        [*command, *arguments], capture_output=True, timeout=PATIENCE_S, cwd=ROOT, env=here, check=False
    )


def test_untrusted_texts_cannot_control_the_terminal(index: Path) -> None:
    run = search(index, "--top-k", "2")
    shown = run.stdout.decode()
    assert run.returncode == 0
    assert "\\x1b[2J" in shown
    assert not {"\x1b", "\x07", "\r", "\x9b", "\u202e"} & set(shown)


def test_long_texts_are_cut_and_say_so(index: Path) -> None:
    shown = search(index, "--top-k", "3").stdout.decode()
    assert len(shown) < 10_000
    assert "more characters)" in shown


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "utf-8"])
@pytest.mark.parametrize("more", [(), ("--json",)])
def test_any_encoding_prints_something(index: Path, encoding: str, more: tuple[str, ...]) -> None:
    run = search(index, *more, PYTHONIOENCODING=encoding)
    assert run.returncode == 0, run.stderr
    assert b"Traceback" not in run.stderr
    assert run.stdout.decode(encoding)


@pytest.mark.parametrize("more", [(), ("--json",)])
def test_a_reader_that_stops_early_ends_it_silently(index: Path, more: tuple[str, ...]) -> None:
    command = [sys.executable, "scripts/search.py", "--index", str(index), "--vector", str(index.parent / "q.npy")]
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        [*command, *more], stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=ROOT, env=here
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(PATIENCE_S) == 141


def test_json_is_what_browsers_read(index: Path) -> None:
    def refuse(constant: str) -> None:
        raise ValueError(f"{constant} is no JSON")

    lines = search(index, "--json", "--top-k", "40").stdout.splitlines()
    answers = [json.loads(line, parse_constant=refuse) for line in lines]
    qualities = {hit["row"]: hit["document"]["quality"] for hit in answers[0]["hits"]}
    assert len(qualities) == 40
    assert qualities[1] is None
    assert len(next(hit for hit in answers[0]["hits"] if hit["row"] == 1)["document"]["body"]) == 700_000


def test_numbers_that_json_does_not_have_become_null_everywhere() -> None:
    values = {"a": [float("nan"), 1.5, (float("inf"),)], "b": {"c": -float("inf")}, "d": "nan", "e": None}
    assert json_values(values) == {"a": [None, 1.5, [None]], "b": {"c": None}, "d": "nan", "e": None}


@pytest.mark.parametrize(
    ("text", "max_chars", "shown"),
    [
        ("plain\ttext\nof two lines", None, "plain\ttext\nof two lines"),
        ("\x00\x1b\x7f\x85\u2028", None, r"\x00\x1b\x7f\x85\u2028"),
        ("\ud800", None, r"\ud800"),
        ("עברית 日本語 🍎", None, "עברית 日本語 🍎"),
        ("abcdef", 6, "abcdef"),
        ("abcdef" * 1000, 3, "abc… (5,997 more characters)"),
    ],
)
def test_unprintable_characters_are_escaped_and_long_texts_cut(text: str, max_chars: int | None, shown: str) -> None:
    assert printable(text, max_chars) == shown
