"""Processes of their own: for each part, so that none disturbs the next, and for paths that are timed in turn."""

from __future__ import annotations

import multiprocessing
import os
import resource
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import Connection
from typing import Any

from retrieval import RetrievalError

_SECONDS_TO_END = 10


@contextmanager
def limited_to(threads: int) -> Iterator[None]:
    """Lets this thread, and the processes that it starts meanwhile, run on the first `threads` cores only.

    Every engine here asks for the cores it may use when it is loaded: this gives all of them the same number.
    """
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(before)[:threads])
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def answering_process(serve: Callable[..., None], *arguments: Any) -> Iterator[Connection]:
    """Starts `serve(pipe, *arguments)` in its own process, which says `ready`, and gives its pipe.

    Raises:
        RetrievalError: if the process does not start, or ends early.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=serve, args=(there, *arguments), daemon=True)
    process.start()
    there.close()
    try:
        if here.recv() != "ready":
            raise RetrievalError("a measured process did not start")
        yield here
    except EOFError as error:
        raise RetrievalError("a measured process ended early: see its message above") from error
    finally:
        here.close()
        process.join(_SECONDS_TO_END)
        process.terminate()


def in_own_process(work: Callable[..., Any], *arguments: Any) -> Any:
    """Returns what `work(*arguments)` returns in its own process, which may start more of them.

    Raises:
        RetrievalError: if the work fails, with the name of the error, or its process is killed.
    """
    context = multiprocessing.get_context("spawn")
    here, there = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(there, work, arguments))
    process.start()
    there.close()
    try:
        failure, result = here.recv()
    except EOFError:
        process.join()
        raise RetrievalError(f"its process ended with exit status {process.exitcode}") from None
    finally:
        here.close()
        if process.is_alive():
            process.join(_SECONDS_TO_END)
        if process.is_alive():
            process.terminate()
    if failure:
        raise RetrievalError(failure)
    return result


def _work(pipe: Connection, work: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        pipe.send((None, work(*arguments)))
    except RetrievalError as error:
        pipe.send((str(error), None))
    except BaseException as error:
        pipe.send((f"{type(error).__name__}: {error}", None))
        raise


def peak_rss_bytes() -> int:
    """Returns the most RAM that this process has taken so far: its resident set size at its highest."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit
