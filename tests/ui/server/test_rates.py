"""How much one visitor may ask: as fast as anybody types, not as fast as a program can, and each for themselves."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from retrieval import RetrievalError
from retrieval.ui.server.rates import DEFAULT_PER_MINUTE, RateLimit, Rates, rates_from
from retrieval.ui.server.search_route import PATH


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def asked(rates: Rates, clock: Clock, address: str, *, per_s: float, seconds: float) -> int:
    """Returns how many questions were refused."""
    refused = 0
    for _ in range(round(per_s * seconds)):
        refused += rates.take(address) > 0
        clock.now += 1 / per_s
    return refused


def test_searching_while_typing_is_never_refused() -> None:
    clock = Clock()
    assert asked(Rates(DEFAULT_PER_MINUTE, clock), clock, "one", per_s=9, seconds=600) == 0


def test_a_program_gets_its_share_and_a_burst() -> None:
    clock = Clock()
    refused = asked(Rates(600, clock), clock, "one", per_s=100, seconds=60)
    assert 6000 - refused == pytest.approx(600 + 100, abs=2)


def test_one_address_does_not_affect_another() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    assert asked(rates, clock, "one", per_s=50, seconds=2)
    assert rates.take("two") == 0.0


def test_a_visitor_who_waits_as_long_as_told_is_answered() -> None:
    clock = Clock()
    rates = Rates(60, clock)
    while not (wait_s := rates.take("one")):
        pass
    clock.now += wait_s + 1e-6
    assert rates.take("one") == 0.0


def client(address: str, rates: Rates | None, trusted: str = "") -> TestClient:
    app: Any = Starlette(
        routes=[Route("/ask", lambda request: PlainTextResponse("answer"), methods=["GET", "POST"])],
        middleware=[Middleware(RateLimit, rates=rates)],
    )
    behind_proxy: Any = ProxyHeadersMiddleware(app, trusted)
    return TestClient(behind_proxy, client=(address, 1))


def statuses(visitor: TestClient, count: int = 30, **options: Any) -> set[int]:
    return {visitor.post("/ask", **options).status_code for _ in range(count)}


def test_beyond_the_rate_the_answer_is_429_with_the_time_to_wait() -> None:
    visitor = client("10.0.0.1", Rates(6))
    assert statuses(visitor, 5) == {200, 429}
    answer = visitor.post("/ask")
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 10
    assert "wait" in answer.json()["error"]


def test_files_of_the_page_do_not_count_as_questions() -> None:
    visitor = client("10.0.0.1", Rates(6))
    assert {visitor.get("/ask").status_code for _ in range(30)} == {200}


def test_a_search_by_its_address_counts() -> None:
    visitor = client("10.0.0.1", Rates(6))
    assert {visitor.get(PATH).status_code for _ in range(5)} == {404, 429}


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_is_not_limited(address: str) -> None:
    assert statuses(client(address, Rates(6))) == {200}


def test_without_a_rate_nobody_is_limited() -> None:
    assert statuses(client("10.0.0.1", None)) == {200}


def test_the_addresses_of_one_ipv6_network_are_one_visitor() -> None:
    rates = Rates(6)
    assert statuses(client("2001:db8::1", rates), 5) == {200, 429}
    assert statuses(client("2001:db8::2", rates), 1) == {429}
    assert statuses(client("2001:db8:0:1::1", rates), 1) == {200}


def test_an_address_that_a_visitor_makes_up_is_not_believed() -> None:
    visitor = client("10.0.0.1", Rates(6))
    seen = {visitor.post("/ask", headers={"x-forwarded-for": f"1.1.1.{n}"}).status_code for n in range(9)}
    assert seen == {200, 429}


def test_the_address_that_a_trusted_proxy_tells_is_believed() -> None:
    proxy = client("10.0.0.1", Rates(6), trusted="10.0.0.1")
    assert {proxy.post("/ask", headers={"x-forwarded-for": f"1.1.1.{n}"}).status_code for n in range(9)} == {200}
    assert statuses(proxy, 5, headers={"x-forwarded-for": "2.2.2.2"}) == {200, 429}


def test_the_rate_comes_from_the_environment() -> None:
    assert rates_from({"VISITOR_RATE": "0"}) is None
    assert rates_from({}) is not None
    for wrong in ("-1", "many", "1.5", "9" * 30):
        with pytest.raises(RetrievalError, match="VISITOR_RATE is"):
            rates_from({"VISITOR_RATE": wrong})
