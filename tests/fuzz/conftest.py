"""Each report says how many cases were tried."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from tests.fuzz.cases import Tally


@pytest.fixture(autouse=True)
def num_cases(record_property: Callable[[str, object], None]) -> Iterator[None]:
    before = Tally.cases
    yield
    record_property("cases", Tally.cases - before)
