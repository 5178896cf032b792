"""Any child process: what it reports, how it ends, and that nothing outlives it. The programs are of a few lines."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from retrieval.serving.child_job import ChildJob, Pace
from retrieval.serving.child_process import JobStatus
from tests.support import PATIENCE_S, is_alive, wait_until

PROGRAM = """
import sys, time
from retrieval.errors import CorpusError
from retrieval.serving.child_process import run_child

def work(request, reports):
    print("what a library prints is no report")
    reports.progress("counting", 1, 2)
    {body}
    return {{"asked": request["asked"]}}

sys.exit(run_child(work, logs_messages=False))
"""

Start = Callable[..., ChildJob]


@pytest.fixture
def start(tmp_path: Path) -> Start:
    """Starts a child whose work has `body` in its middle."""

    def make(body: str = "pass", **options: Any) -> ChildJob:
        (tmp_path / "program.py").write_text(PROGRAM.format(body=body))
        environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
        job = ChildJob("program", {"asked": "größe"}, environment=environment, **options)
        job.start()
        return job

    return make


def test_the_answer_comes_back_and_the_last_phase_stays(start: Start) -> None:
    status = start().wait(PATIENCE_S)
    assert (status.state, dict(status.result)) == ("finished", {"asked": "größe"})
    assert (status.phase, status.done, status.total, status.fraction) == ("counting", 1, 2, 0.5)
    assert status.elapsed_s > 0


@pytest.mark.parametrize(
    ("body", "failure", "message", "exit_status"),
    [
        ("raise CorpusError('no rows')", "error", "no rows", None),
        ("raise MemoryError", "memory", "", None),
        ("raise KeyError('secret')", "unexpected", "KeyError", None),
        ("import os; os._exit(7)", "died", "", 7),
        ("import os; os.kill(os.getpid(), 9)", "died", "", -9),
    ],
)
def test_each_way_to_fail_is_distinguished(
    start: Start, body: str, failure: str, message: str, exit_status: int | None
) -> None:
    status = start(body).wait(PATIENCE_S)
    assert (status.state, status.failure, status.message, status.exit_status) == (
        "failed", failure, message, exit_status,
    )  # fmt: skip


def test_the_log_has_no_message_that_may_quote_data(start: Start, capfd: pytest.CaptureFixture[str]) -> None:
    start("raise KeyError('sec' + 'ret')").wait(PATIENCE_S)
    logged = capfd.readouterr().err
    assert "KeyError" in logged
    assert "in work" in logged
    assert "what a library prints" in logged
    assert "secret" not in logged


def test_a_child_that_takes_too_long_or_reports_nothing_is_killed(start: Start) -> None:
    for limits, failure in (({"max_seconds": 1.0}, "timeout"), ({"max_silence_s": 1.0}, "silence")):
        job = start("time.sleep(60)", **limits)
        status = job.wait(PATIENCE_S)
        assert (status.state, status.failure) == ("failed", failure)
        assert job.pid is not None
        assert not is_alive(job.pid)


def test_a_report_keeps_a_silent_limit_away(start: Start) -> None:
    body = "[(time.sleep(0.8), reports.progress('counting', n, 9)) for n in range(9)]"
    assert start(body, max_silence_s=6.0).wait(PATIENCE_S).state == "finished"


def test_a_job_is_cancelled_before_and_while_it_runs(start: Start) -> None:
    job = start("time.sleep(60)")
    wait_until(lambda: job.status.phase == "counting")
    job.cancel()
    assert job.wait(PATIENCE_S).state == "cancelled"
    assert job.pid is not None
    assert not is_alive(job.pid)
    never = ChildJob("program", {})
    never.cancel()
    never.start()
    assert never.wait(PATIENCE_S).state == "cancelled"
    assert never.pid is None


def test_the_end_is_reported_once_before_anybody_stops_waiting(start: Start) -> None:
    told: list[str] = []

    def on_end(job: ChildJob) -> None:
        time.sleep(0.2)
        told.append(job.status.state)

    job = start("pass", on_end=on_end)
    job.wait(PATIENCE_S)
    job.cancel()
    assert told == ["finished"]


def test_a_program_that_cannot_be_started_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "no-python"))
    job = ChildJob("program", {})
    job.start()
    status = job.wait(PATIENCE_S)
    assert (status.state, status.failure) == ("failed", "not started")


def test_a_child_ends_with_the_process_that_wants_its_answer(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(PROGRAM.format(body="time.sleep(60)"))
    code = (
        "import os, sys, time; from retrieval.serving.child_job import ChildJob; "
        "job = ChildJob('program', {'asked': ''}); job.start()\n"
        "while job.status.phase != 'counting': time.sleep(0.02)\n"
        "print(job.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": f"{tmp_path}:{os.environ.get('PYTHONPATH', '')}"}
    with subprocess.Popen(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment
    ) as parent:  # fmt: skip
        assert parent.stdout is not None
        pid = int(parent.stdout.readline())
        assert is_alive(pid)
        parent.kill()
    wait_until(lambda: not is_alive(pid))


def test_a_status_may_be_read_while_the_job_runs(start: Start) -> None:
    job = start("[reports.progress('counting', n, 10_000) for n in range(10_000)]")
    seen: set[str] = set()

    def look() -> None:
        while not job.status.is_over:
            seen.add(job.status.state)
            time.sleep(0.001)  # spinning readers would keep the job's own thread from the interpreter

    readers = [threading.Thread(target=look) for _ in range(4)]
    for reader in readers:
        reader.start()
    assert job.wait(PATIENCE_S).state == "finished"
    for reader in readers:
        reader.join(PATIENCE_S)
    assert seen <= {"running", "finished"}


def paced(*notes: tuple[float, str, int]) -> tuple[Pace, list[float]]:
    now = [0.0]
    pace = Pace(lambda: now[0])
    for at, phase, done in notes:
        now[0] = at
        pace.note(phase, done)
    return pace, now


def test_the_time_left_follows_the_rate_of_the_phase() -> None:
    pace, now = paced((0, "encoding", 20), (60, "encoding", 40))
    assert pace.seconds_left(100) == 180.0
    now[0] = 120.0  # nothing more came meanwhile
    assert pace.seconds_left(100) == 360.0


def test_the_rate_of_a_resumed_build_ignores_earlier_work() -> None:
    assert paced((0, "encoding", 90), (10, "encoding", 91))[0].seconds_left(100) == 90.0


def test_no_time_left_is_shown_when_nothing_is_known() -> None:
    assert paced((0, "reading", 0), (10, "reading", 500))[0].seconds_left(None) is None
    assert paced((0, "encoding", 0), (0.1, "encoding", 5))[0].seconds_left(100) is None
    assert paced((0, "reading", 0), (9, "encoding", 5))[0].seconds_left(100) is None
    assert JobStatus("running", "reading", 500).fraction is None
