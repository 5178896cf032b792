"""The log has one line per event, can be taken apart by a program, and says nothing that it should not."""

from __future__ import annotations

import logging
import shlex

import pytest

from retrieval.serving.logs import LineFormatter, Repeats, log_warning

SECRET = "what a visitor typed"


def record(text: str, *args: object, **fields: object) -> logging.LogRecord:
    made = logging.LogRecord("retrieval.x", logging.WARNING, "x.py", 1, text, args, None)
    made.fields = fields
    return made


def taken_apart(line: str) -> dict[str, str]:
    return dict(part.split("=", 1) for part in shlex.split(line))


def test_an_event_and_its_figures_can_be_read_back() -> None:
    line = LineFormatter().format(record("an index %s", "is ready", seconds=1.23456, name='a "b" \\ c', empty=""))
    fields = taken_apart(line)
    assert (fields["level"], fields["logger"], fields["event"]) == ("warning", "retrieval.x", "an index is ready")
    assert (fields["seconds"], fields["name"], fields["empty"]) == ("1.235", 'a "b" \\ c', "")
    assert fields["time"].endswith("Z")


def test_line_breaks_and_escape_codes_in_untrusted_text_add_no_line() -> None:
    line = LineFormatter().format(record("a\nlevel=error\x1b[31m\u2028", path="b\r\nc"))
    assert line.splitlines() == [line]
    assert "\x1b" not in line


def test_an_exception_is_reported_by_type_and_place_only() -> None:
    made = record("it failed")
    try:
        raise KeyError(SECRET)
    except KeyError as error:
        made.exc_info = (KeyError, error, error.__traceback__)
    line = LineFormatter().format(made)
    assert taken_apart(line)["exception"] == "KeyError"
    assert "test_logs.py:" in line
    assert SECRET not in line


def test_a_warning_of_a_library_is_reported_by_kind_and_place_only(caplog: pytest.LogCaptureFixture) -> None:
    log_warning(UserWarning(SECRET), UserWarning, "library.py", 7)
    [line] = [LineFormatter().format(each) for each in caplog.records]
    assert (taken_apart(line)["category"], taken_apart(line)["at"]) == ("UserWarning", "library.py:7")
    assert SECRET not in line


def test_repeated_messages_are_counted_instead() -> None:
    now = [0.0]
    repeats = Repeats(lambda: now[0])
    assert sum(repeats.filter(record("again %s", n)) for n in range(100)) == 5
    assert repeats.filter(record("another"))
    now[0] = 61.0
    late = record("again %s", 100)
    assert repeats.filter(late)
    assert late.__dict__["fields"] == {"left_out": 95}
    assert repeats.filter(record("again %s", 101))
