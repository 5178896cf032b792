from typing import Any
from collections.abc import Iterator, Mapping
def report(figures: Mapping[str, Any]) -> Iterator[str]:
    yield ""
