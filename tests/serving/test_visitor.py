"""Jobs in real child processes: what they answer, how they end, and that nothing outlives them."""

from __future__ import annotations

import gzip
import json
import os
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from retrieval import BuildError, Searcher
from retrieval.corpus.files import FileCorpus
from retrieval.serving.child_job import ChildJob
from retrieval.serving.visitor.corpus import BoundedCorpus
from retrieval.serving.visitor.limits import OwnLimits
from retrieval.serving.visitor.queue import ChildQueue
from retrieval.ui.markup import escaped
from retrieval.ui.your_data import panels as own_panels
from retrieval.ui.your_data.failures import OUT_OF_MEMORY, for_visitors, why_failed
from tests.conftest import RowsCorpus, random_texts
from tests.support import PATIENCE_S, is_alive, wait_until

LIMITS = OwnLimits()


@pytest.fixture
def queue() -> Iterator[ChildQueue]:
    queue = ChildQueue(max_waiting=3)
    yield queue
    queue.close()


def request(path: Path, task: str = "inspect", **changes: Any) -> dict[str, Any]:
    return {
        "task": task, "folder": str(path.parent), "source": str(path), "title": path.name, "columns": {},
        "output": str(path.parent / "built"), "max_rows": LIMITS.max_rows, "max_text_chars": LIMITS.max_text_chars,
        "max_file_bytes": LIMITS.max_file_bytes, "model": None, **changes,
    }  # fmt: skip


def written(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def running(job: ChildJob) -> int:
    """Waits until the child of a job is at work, and returns its id."""
    wait_until(lambda: job.status.phase != "starting")
    assert job.pid is not None
    return job.pid


def test_inspecting_a_table_finds_columns_guesses_and_first_rows(queue: ChildQueue, tmp_path: Path) -> None:
    path = written(
        tmp_path, "notes.csv", "id,title,body\n" + "".join(f"{n},a title {n},a body {n}\n" for n in range(9))
    )
    status = queue.submit(request(path), max_seconds=PATIENCE_S).wait()
    assert status.state == "finished"
    assert status.result["columns"] == ["title", "body", "id"]
    assert status.result["guesses"] == {"text": "title", "body": "body"}
    assert [row["id"] for row in status.result["rows"]] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("junk.csv", b"\x01\x02\0\0\xfe", "binary data"),
        ("cyrillic.csv", "text\nждём\n".encode("cp1251"), "cyrillic.csv, line 2: not UTF-8"),
        ("ragged.csv", b"a,b\nsome words,2\nfoo\n", "ragged.csv, line 3: expected 2 fields"),
        ("broken.jsonl", b'{"text": "a"}\n{"text": \n', "broken.jsonl, line 2: not a JSON object"),
        ("cut.parquet", b"PAR1abc", "cut short"),
        ("header.csv", b"text,n\n", "no rows"),
        ("long.csv", b"x" * 5000 + b"\nfoo\n", "column name of 5,000 characters"),
        ("page.html", b"<html>", "an unknown format"),
    ],
)
def test_a_bad_file_is_refused_with_the_reason(
    queue: ChildQueue, tmp_path: Path, name: str, content: bytes, told: str
) -> None:
    status = queue.submit(request(written(tmp_path, name, content)), max_seconds=PATIENCE_S).wait()
    assert (status.state, status.failure) == ("failed", "error")
    assert told in status.message
    shown = why_failed(status, tmp_path, 30)
    assert str(tmp_path) not in shown
    assert "--" not in shown


def test_a_small_file_that_unfolds_into_a_huge_one_is_refused(queue: ChildQueue, tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    large = pa.DictionaryArray.from_arrays(pa.array([0] * 200_000, pa.int32()), pa.array(["y" * 5_000_000]))
    pq.write_table(pa.table({"text": large}), tmp_path / "bomb.parquet", compression="zstd")
    status = queue.submit(request(tmp_path / "bomb.parquet"), max_seconds=PATIENCE_S).wait()
    assert (status.state, why_failed(status, tmp_path, 60)) == ("failed", OUT_OF_MEMORY)


@pytest.mark.model
def test_a_build_makes_an_index_and_counts_what_it_read(queue: ChildQueue, tmp_path: Path) -> None:
    texts = [*random_texts(30), "", "größe " * 3, "word " * 400]
    path = written(tmp_path, "notes.jsonl", "".join(json.dumps({"title": text}) + "\n" for text in texts))
    asked = request(path, "build", columns={"text": "title"}, max_rows=32, max_text_chars=200)
    status = queue.submit(asked, max_seconds=PATIENCE_S).wait()
    assert (status.state, status.message) == ("finished", "")
    assert (status.result["rows_in_file"], status.result["rows_used"]) == (33, 32)
    assert status.result["non_ascii_texts"] == 1
    searcher = Searcher.open(tmp_path / "built")
    assert len(searcher) == 31
    assert searcher.manifest.corpus.title == "notes.jsonl"
    assert searcher.search(texts[5], top_k=1).hits[0].document.text == texts[5]
    assert str(tmp_path) not in searcher.manifest.to_json()


@pytest.mark.model
def test_a_cancelled_build_is_killed_and_leaves_the_place_free(queue: ChildQueue, tmp_path: Path) -> None:
    path = written(tmp_path, "notes.txt", "\n".join(random_texts(20_000)))
    job = queue.submit(request(path, "build", columns={"text": "text"}), max_seconds=PATIENCE_S)
    waiting = queue.submit(request(path, "build", columns={"text": "text"}), max_seconds=PATIENCE_S)
    pid = running(job)
    assert (waiting.status.state, queue.place_of(waiting)) == ("waiting", 1)
    waiting.cancel()
    assert waiting.wait(PATIENCE_S).state == "cancelled"
    job.cancel()
    assert job.wait(PATIENCE_S).state == "cancelled"
    assert not is_alive(pid)
    assert queue.submit(request(path), max_seconds=PATIENCE_S).wait().state == "finished"


@pytest.mark.model
def test_a_build_that_takes_too_long_is_stopped_and_says_what_to_do(queue: ChildQueue, tmp_path: Path) -> None:
    path = written(tmp_path, "notes.txt", "\n".join(random_texts(20_000, words=30)))
    job = queue.submit(request(path, "build", columns={"text": "text"}), max_seconds=2)
    status = job.wait(PATIENCE_S)
    assert (status.state, status.failure) == ("failed", "timeout")
    assert job.pid is not None
    assert not is_alive(job.pid)


def test_a_child_gives_way_to_everything_else(queue: ChildQueue, tmp_path: Path) -> None:
    path = written(tmp_path, "notes.txt", "\n".join(random_texts(20_000)))
    pid = running(queue.submit(request(path, "build", columns={"text": "text"}), max_seconds=PATIENCE_S))
    assert os.getpriority(os.PRIO_PROCESS, pid) >= 10
    assert len(os.sched_getaffinity(pid)) == 1
    environment = Path(f"/proc/{pid}/environ").read_bytes()
    assert b"OMP_NUM_THREADS=1" in environment
    links = []
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # it is closed meanwhile
            links.append(str(link.readlink()))
    assert not [link for link in links if link.startswith("socket:")]


def test_a_queue_that_is_full_refuses(tmp_path: Path) -> None:
    queue = ChildQueue(max_waiting=0)
    path = written(tmp_path, "notes.txt", "a text\n")
    job = queue.submit(request(path), max_seconds=PATIENCE_S)
    with pytest.raises(BuildError, match="waiting for their turn"):
        queue.submit(request(path), max_seconds=PATIENCE_S)
    job.wait()
    queue.close()


def test_limits_come_from_the_environment() -> None:
    limits = OwnLimits.from_environment(
        {"OWN_MAX_ROWS": "5", "OWN_MAX_MB": "2", "OWN_MAX_SECONDS": "7", "OWN_DATA": "0"}
    )
    assert (limits.max_rows, limits.max_bytes, limits.max_seconds, limits.is_on) == (5, 2_000_000, 7, False)
    assert OwnLimits.from_environment({}) == OwnLimits()
    with pytest.raises(BuildError, match="OWN_MAX_ROWS is 'many'"):
        OwnLimits.from_environment({"OWN_MAX_ROWS": "many"})


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("notes.tsv", 'id\ttext\n1\t"Hello there\n2\tGoodbye" said the other\n'),
        ("notes.csv", "0,The robot polishes an old map\n1,The dog invents the last train\n"),
        ("notes.csv", "title;group\na red apple;A\na pear;B\n".encode("utf-16")),
        ("notes.json", '{"data": [{"text": "a red apple", "quality": 1}]}'),
    ],
)
def test_the_preview_says_the_same_as_the_terminal(
    queue: ChildQueue, tmp_path: Path, name: str, content: str | bytes
) -> None:
    path = written(tmp_path, name, content)
    status = queue.submit(request(path), max_seconds=PATIENCE_S).wait()
    corpus = FileCorpus(path)
    list(corpus.batches())
    assert status.result["notes"] == list(corpus.notes)
    assert status.result["guesses"] == corpus.columns
    told = [for_visitors(note, tmp_path) for note in corpus.notes]
    shown = own_panels.preview("notes", 1, {**status.result, "notes": told}, LIMITS)
    assert all(escaped(note) in shown for note in told)
    assert "--" not in shown
    assert str(tmp_path) not in shown


@pytest.mark.parametrize("name", ["bomb.csv.gz", "bomb.zip", "bomb.xlsx"])
def test_a_packed_file_that_unfolds_into_a_huge_one_is_refused(queue: ChildQueue, tmp_path: Path, name: str) -> None:
    content = b"text\n" + b"words\n" * 100_000
    path = tmp_path / name
    if name.endswith(".gz"):
        path.write_bytes(gzip.compress(content))
    else:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("bomb.csv", content)
    status = queue.submit(request(path, max_file_bytes=300_000), max_seconds=PATIENCE_S).wait()
    assert status.state == "failed"
    assert "unpacks to more than 0 MB" in status.message


@pytest.mark.model
def test_a_role_without_a_column_is_not_guessed_again(queue: ChildQueue, tmp_path: Path) -> None:
    path = written(tmp_path, "notes.csv", "title,description,group\na red apple,long words,A\na pear,more words,A\n")
    chosen = {"text": "title", "body": "", "url": "", "group": "", "quality": ""}
    status = queue.submit(request(path, "build", columns=chosen), max_seconds=PATIENCE_S).wait()
    assert status.state == "finished"
    manifest = Searcher.open(tmp_path / "built").manifest
    assert (manifest.columns, manifest.group_count) == ({"text": "title"}, None)
    assert str(tmp_path) not in manifest.to_json()


def test_rows_beyond_the_limit_are_counted_and_long_texts_cut() -> None:
    rows = [{"text": f"a text of some length {n}"} for n in range(250)]
    corpus = BoundedCorpus(RowsCorpus(rows), "Mine", max_rows=120, max_text_chars=10)
    batches = list(corpus.batches())
    assert sum(batch.num_rows for batch in batches) == 120
    assert {len(text) for batch in batches for text in batch.column("text").to_pylist()} == {10}
    assert (corpus.seen.rows_in_file, corpus.seen.cut_texts) == (250, 120)
    assert (corpus.num_rows, corpus.info.title) == (120, "Mine")
    assert len(corpus.info.examples) == 4
