"""What the tests of an index in Milvus share: the server's token in the environment, and indexes loaded into it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.load import LoadOptions, load
from scripts.packaged_milvus import FIRST_TOKEN, PackagedMilvus

_NUMBERS = itertools.count(1)

Load = Callable[..., MilvusAddress]


def silent(phase: str, done: int, total: int) -> None:
    """Reports nothing."""


@pytest.fixture(scope="module")
def milvus(milvus_server: PackagedMilvus) -> Iterator[PackagedMilvus]:
    """The server, whose token is in the environment."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MILVUS_TOKEN", FIRST_TOKEN)
        patch.setenv("MILVUS_TIMEOUT", "60")
        yield milvus_server


@pytest.fixture(scope="module")
def address_of(milvus: PackagedMilvus) -> Callable[[], MilvusAddress]:
    """Returns a function that gives the address of a collection that is not there yet."""
    return lambda: MilvusAddress.parse(f"{milvus.uri}/test_{next(_NUMBERS)}")


@pytest.fixture(scope="module")
def loaded(address_of: Callable[[], MilvusAddress]) -> Load:
    """Returns a function that loads the index in a folder into a collection of its own, or into a given one."""

    def loaded_from(path: Path, into: MilvusAddress | None = None, **options: object) -> MilvusAddress:
        address = into or address_of()
        load(path, address, LoadOptions(**options), silent)  # type: ignore[arg-type]
        return address

    return loaded_from
