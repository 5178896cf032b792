"""Searches take turns: few at once, the others in order, and no more wait than may."""

from __future__ import annotations

import asyncio
import contextvars
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest

from retrieval.errors import BusyError, QueryError
from retrieval.serving.turns import Turns, asked_by
from tests.support import PATIENCE_S, wait_until


def test_no_more_calls_are_at_work_than_there_are_workers() -> None:
    turns, lock = Turns(workers=2), threading.Lock()
    at_work, most = 0, 0

    def work() -> None:
        nonlocal at_work, most
        with lock:
            at_work += 1
            most = max(most, at_work)
        time.sleep(0.01)
        with lock:
            at_work -= 1

    with ThreadPoolExecutor(12) as visitors:
        list(visitors.map(lambda _: turns.call(work), range(30)))
    assert (most, turns.waiting) == (2, 0)


def test_calls_that_wait_are_answered_in_the_order_in_which_they_came() -> None:
    turns, order = Turns(workers=1), list[int]()

    async def all_of_them() -> None:
        await asyncio.gather(*(turns.run(lambda n=n: order.append(n)) for n in range(50)))  # type: ignore[misc]

    asyncio.run(all_of_them())
    assert order == list(range(50))


def test_beyond_the_bound_a_call_is_refused_and_those_before_it_are_answered() -> None:
    turns, go_on = Turns(workers=1, max_waiting=2), threading.Event()
    with ThreadPoolExecutor(3) as visitors:
        kept = [visitors.submit(turns.call, lambda: go_on.wait(PATIENCE_S)) for _ in range(3)]
        wait_until(lambda: turns.waiting == 2)
        with pytest.raises(BusyError, match="2 searches are already waiting"):
            turns.call(lambda: True)
        go_on.set()
        assert all(each.result() for each in kept)
    assert turns.call(lambda: "again") == "again"


def test_an_abandoned_call_frees_its_place() -> None:
    turns, go_on, made = Turns(workers=1, max_waiting=1), threading.Event(), list[str]()

    async def give_up() -> None:
        first = asyncio.ensure_future(turns.run(lambda: go_on.wait(PATIENCE_S)))
        second = asyncio.ensure_future(turns.run(lambda: made.append("second")))
        await asyncio.sleep(0)
        assert turns.waiting == 1
        second.cancel()
        await asyncio.wait([second])
        assert turns.waiting == 0
        third = asyncio.ensure_future(turns.run(lambda: made.append("third")))
        await asyncio.sleep(0)
        go_on.set()
        await asyncio.gather(first, third)

    asyncio.run(give_up())
    assert made == ["third"]


def test_an_error_reaches_the_caller_and_frees_the_worker() -> None:
    turns = Turns(workers=1, max_waiting=0)

    def fail() -> None:
        raise QueryError("the query is empty")

    for _ in range(3):
        with pytest.raises(QueryError, match="is empty"):
            turns.call(fail)


def test_a_call_sees_the_context_of_its_caller() -> None:
    known: contextvars.ContextVar[str] = contextvars.ContextVar("known")
    known.set("by the caller")
    assert Turns(workers=1).call(known.get) == "by the caller"


def test_visitors_are_served_in_turn_however_much_one_of_them_asks() -> None:
    turns, order, gate = Turns(workers=1), list[str](), threading.Event()

    async def ask() -> None:
        calls: list[asyncio.Future[Any]] = [asyncio.ensure_future(turns.run(lambda: gate.wait(PATIENCE_S)))]
        for visitor in ("greedy", "greedy", "greedy", "modest", "greedy", "late"):
            with asked_by(visitor):
                calls.append(asyncio.ensure_future(turns.run(partial(order.append, visitor))))
            await asyncio.sleep(0)
        gate.set()
        await asyncio.gather(*calls)

    asyncio.run(ask())
    assert order == ["greedy", "modest", "late", "greedy", "greedy", "greedy"]
    assert turns.taken == 0


def test_a_cancelled_call_leaves_its_queue() -> None:
    turns, gate, made = Turns(workers=1), threading.Event(), list[int]()

    async def ask() -> None:
        first = asyncio.ensure_future(turns.run(lambda: gate.wait(PATIENCE_S)))
        await asyncio.sleep(0)
        given_up = asyncio.ensure_future(turns.run(lambda: made.append(1)))
        await asyncio.sleep(0)
        given_up.cancel()
        gate.set()
        await first
        await turns.run(lambda: made.append(2))

    asyncio.run(ask())
    assert made == [2]
    wait_until(lambda: turns.taken == 0)
