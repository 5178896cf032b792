"""Whose job is next: one of each address in turn, so that nobody waits behind everything that somebody else sent."""

from __future__ import annotations

from typing import Any

import pytest

from retrieval import BuildError
from retrieval.serving.visitor.queue import ChildQueue, Client


class Job:
    """Stands for a child process; ends when told."""

    started: list[Job]

    def __init__(self, module: str, request: Any, *, on_end: Any, **options: Any) -> None:
        self.name = request["name"]
        self._on_end = on_end
        self.state = "waiting"

    def start(self) -> None:
        self.state = "running"
        self.started.append(self)

    def cancel(self) -> None:
        self.end("cancelled")

    def end(self, state: str = "finished") -> None:
        if self.state in ("waiting", "running"):
            self.state = state
            self._on_end(self)

    def wait(self, timeout_s: float | None = None) -> None:
        pass


@pytest.fixture(autouse=True)
def started() -> list[Job]:
    Job.started = []
    return Job.started


def queue_of_fakes(num_slots: int, max_waiting: int) -> ChildQueue:
    return ChildQueue(num_slots, max_waiting, make_job=Job)  # type: ignore[arg-type]


def submit(queue: ChildQueue, name: str, address: str, session: str = "") -> Any:
    return queue.submit({"name": name}, max_seconds=1, client=Client(address, session or name))


def order_of(queue: ChildQueue, started: list[Job]) -> list[str]:
    """Ends one job after another, and returns the names in the order in which they began."""
    for job in started:
        job.end()
    assert len(queue) == 0
    return [job.name for job in started]


def test_a_visitor_is_next_however_much_another_one_has_sent(started: list[Job]) -> None:
    queue = queue_of_fakes(1, 20)
    for number in range(20):
        submit(queue, f"hostile {number}", "6.6.6.6")
    honest = submit(queue, "honest", "1.1.1.1")
    assert queue.place_of(honest) == 1
    assert order_of(queue, started)[:3] == ["hostile 0", "honest", "hostile 1"]


def test_with_two_slots_one_address_never_makes_others_wait(started: list[Job]) -> None:
    queue = queue_of_fakes(2, 20)
    for number in range(20):
        submit(queue, f"hostile {number}", "6.6.6.6")
    assert [job.name for job in started] == ["hostile 0"]
    assert submit(queue, "honest", "1.1.1.1").state == "running"


def test_sessions_behind_one_address_take_turns(started: list[Job]) -> None:
    queue = queue_of_fakes(1, 20)
    for name, session in (("a1", "a"), ("a2", "a"), ("a3", "a"), ("b1", "b")):
        submit(queue, name, "9.9.9.9", session)
    submit(queue, "other", "1.1.1.1")
    assert order_of(queue, started) == ["a1", "other", "b1", "a2", "a3"]


def test_places_are_those_in_which_jobs_begin(started: list[Job]) -> None:
    queue = queue_of_fakes(1, 20)
    jobs = [submit(queue, f"{address} {number}", address) for address in "abc" for number in range(4)]
    places = {job.name: queue.place_of(job) for job in jobs}
    assert sorted(places, key=places.__getitem__) == order_of(queue, started)


def test_a_visitor_who_fills_the_queue_makes_room_for_others(started: list[Job]) -> None:
    queue = queue_of_fakes(1, 3)
    hostile = [submit(queue, f"hostile {number}", "6.6.6.6") for number in range(4)]
    with pytest.raises(BuildError, match="3 jobs are already waiting"):
        submit(queue, "hostile 4", "6.6.6.6")
    submit(queue, "honest", "1.1.1.1")
    assert [job.state for job in hostile] == ["running", "waiting", "waiting", "cancelled"]
    assert order_of(queue, started)[:2] == ["hostile 0", "honest"]


def test_without_names_jobs_run_in_the_order_in_which_they_came(started: list[Job]) -> None:
    queue = queue_of_fakes(2, 20)
    for number in range(5):
        queue.submit({"name": str(number)}, max_seconds=1)
    assert order_of(queue, started) == ["0", "1", "2", "3", "4"]


def test_closing_starts_nothing_more(started: list[Job]) -> None:
    queue = queue_of_fakes(1, 20)
    jobs = [submit(queue, str(number), "a") for number in range(3)]
    queue.close()
    assert [job.state for job in jobs] == ["cancelled"] * 3
    assert [job.name for job in started] == ["0"]
