"""What this process counts while it serves, in Prometheus's format. It contains nobody's text."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, PlatformCollector, ProcessCollector
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from retrieval.results import SearchResponse

CONTENT_TYPE = CONTENT_TYPE_LATEST
_SEARCH_BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
_REQUEST_BUCKETS_S = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)  # memory, CPU, open files, start time
PlatformCollector(registry=REGISTRY)

_SEARCHES = Counter("searches", "Searches that were answered.", registry=REGISTRY)
_FAILURES = Counter("search_failures", "Searches that ended in an error.", ["error"], registry=REGISTRY)
_SEARCH_SECONDS = Histogram(
    "search_seconds", "Wall clock of a whole search.", registry=REGISTRY, buckets=_SEARCH_BUCKETS_S
)
_STAGE_SECONDS = Histogram(
    "search_stage_seconds", "Wall clock of a stage.", ["stage"], registry=REGISTRY, buckets=_SEARCH_BUCKETS_S
)
_ANSWER_SECONDS = Histogram(
    "answer_seconds",
    "Time to an answer, waiting for its turn included: search, compare, hood.",
    ["what"],
    registry=REGISTRY,
    buckets=_REQUEST_BUCKETS_S,
)
_WAITING = Gauge("calls_waiting", "Calls that wait for their turn: searches, heavy.", ["line"], registry=REGISTRY)
REQUESTS = Counter("http_requests", "Requests by route and status.", ["route", "status"], registry=REGISTRY)
REQUESTS_RUNNING = Gauge("http_requests_running", "Requests that are being answered.", registry=REGISTRY)
REQUEST_SECONDS = Histogram(
    "http_request_seconds", "Time to the end of the answer.", ["route"], registry=REGISTRY, buckets=_REQUEST_BUCKETS_S
)
_VISITORS = Gauge("visitors", "What visitors have here now.", ["what"], registry=REGISTRY)
_INDEX_ROWS = Gauge("index_rows", "Documents of the index that visitors see first.", registry=REGISTRY)


def count_search(response: SearchResponse) -> None:
    """Counts a search that was answered, with its time in all and by stage."""
    _SEARCHES.inc()
    _SEARCH_SECONDS.observe(response.latency.total_ms / 1e3)
    for stage, elapsed_ms in response.latency.stages.items():
        _STAGE_SECONDS.labels(stage).observe(elapsed_ms / 1e3)


@contextmanager
def counting_failures() -> Iterator[None]:
    """Counts what the block raises, by its type, and passes it on."""
    try:
        yield
    except Exception as error:
        _FAILURES.labels(type(error).__name__).inc()
        raise


@contextmanager
def timing(what: str) -> Iterator[None]:
    """Counts an answer of a kind, with its time, unless the block raises."""
    started = time.perf_counter()
    yield
    _ANSWER_SECONDS.labels(what).observe(time.perf_counter() - started)


def watch_waiting(line: str, count: Callable[[], float]) -> None:
    """Has `count` called for how many calls wait in a line for their turn."""
    _WAITING.labels(line).set_function(count)


def watch_visitors(what: str, count: Callable[[], float]) -> None:
    """Has `count` called for what visitors have: `sessions`, `bytes`, `builds_running`, ..."""
    _VISITORS.labels(what).set_function(count)


def watch_index(num_rows: Callable[[], float]) -> None:
    """Has `num_rows` called for the index that visitors meet first."""
    _INDEX_ROWS.set_function(num_rows)


def exposition() -> bytes:
    """Returns all values as Prometheus reads them."""
    return generate_latest(REGISTRY)
