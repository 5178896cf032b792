"""How many queries one visitor may send per minute: enough to search as fast as anybody types, and no more."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from retrieval.errors import BuildError
from retrieval.serving.turns import asked_by
from retrieval.ui.server.answer import sentence
from retrieval.ui.server.headers import is_loopback
from retrieval.ui.server.search_route import PATH

DEFAULT_PER_MINUTE = 600
"""Ten per second, for any length of time. A fast typist sends five per second, and then reads the results."""
_BURST_S = 10.0
"""Queries not sent within this time may be sent in a burst."""
_MOST_ADDRESSES = 20_000
_TOLD = "Too many queries from your address: wait a few seconds and try again."


class Rates:
    """One token bucket per address. Safe to use from many threads."""

    def __init__(self, per_minute: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Takes the number of queries per minute for each address."""
        self._per_s = per_minute / 60
        self._most = max(1.0, self._per_s * _BURST_S)
        self._clock = clock
        self._lock = threading.Lock()
        self._left: OrderedDict[str, tuple[float, float]] = OrderedDict()
        """What each address has left, and as of when; the most recent address is at the end."""

    def take(self, address: str) -> float:
        """Returns 0.0 if a query is allowed now, otherwise the seconds until one is."""
        now = self._clock()
        with self._lock:
            left, since = self._left.pop(address, (self._most, now))
            left = min(self._most, left + (now - since) * self._per_s)
            wait_s = 0.0 if left >= 1 else (1 - left) / self._per_s
            self._left[address] = (left if wait_s else left - 1, now)
            if len(self._left) > _MOST_ADDRESSES:
                self._left.popitem(last=False)
        return wait_s


class RateLimit:
    """Answers queries beyond an address's rate with status 429. Files and open pages do not count.

    This machine's own address is not limited: it is used by its owner, or by all visitors of an untrusted proxy.
    """

    def __init__(self, app: ASGIApp, *, rates: Rates | None) -> None:
        """Takes the application, and the rates, None for no limit."""
        self._app = app
        self._rates = rates

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it."""
        address = (scope.get("client") or ("",))[0]
        is_question = scope["type"] == "http" and (scope["method"] == "POST" or scope["path"].endswith(PATH))
        rates = self._rates if is_question and address and not is_loopback(address) else None
        if rates is not None and (wait_s := rates.take(_network(address))):
            refused = sentence(429, _TOLD, close=True)
            refused.headers["retry-after"] = str(max(1, round(wait_s)))
            await refused(scope, receive, send)
            return
        with asked_by(_network(address)):  # searches from one address wait only for each other
            await self._app(scope, receive, send)


def rates_from(environment: Mapping[str, str]) -> Rates | None:
    """Returns the rates that VISITOR_RATE sets, in queries per minute; 0 for no limit.

    Raises:
        BuildError: if it is not a whole number.
    """
    text = environment.get("VISITOR_RATE", "").strip() or str(DEFAULT_PER_MINUTE)
    if not text.isascii() or not text.isdigit() or len(text) > 9:
        raise BuildError(f"VISITOR_RATE is {text!r}: a whole number of queries per minute is needed, 0 for no limit.")
    return Rates(int(text)) if int(text) else None


def _network(address: str) -> str:
    """Returns the key of one visitor: anyone with one IPv6 address has 2^64 of them."""
    try:
        known = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(known) if known.version == 4 else str(ipaddress.ip_network((int(known), 64), strict=False))
