"""An encrypted connection to a server that asks for a token: whom it trusts, and that the token is told to nobody."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval import EngineError, RetrievalError, Searcher
from retrieval.milvus.address import MilvusAddress
from scripts.packaged_milvus import FIRST_TOKEN, PackagedMilvus
from tests.conftest import FakeEncoder, build_rows, random_texts
from tests.milvus.conftest import Load
from tests.milvus.test_search import QUERIES, assert_same
from tests.milvus.tls_endpoint import Certificate, tls_endpoint

SECRET = "s3cret-word"


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Certificate]:
    folder = tmp_path_factory.mktemp("certificates")
    return {name: Certificate.made(folder, name) for name in ("own", "other")}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_rows(random_texts(120), FakeEncoder(), tmp_path_factory.mktemp("tls") / "index").path


@pytest.fixture(scope="module")
def plain(loaded: Load, path: Path) -> MilvusAddress:
    """The collection, at the port where nothing is encrypted."""
    return loaded(path)


@pytest.fixture(scope="module")
def encrypted(
    milvus: PackagedMilvus, certificates: dict[str, Certificate], plain: MilvusAddress
) -> Iterator[MilvusAddress]:
    """The collection, behind an endpoint with TLS."""
    assert milvus.port is not None
    with tls_endpoint(certificates["own"], milvus.port) as port:
        yield MilvusAddress("127.0.0.1", port, plain.collection)


def open_there(address: MilvusAddress) -> Searcher:
    return Searcher.open(str(address), encoder=FakeEncoder())


def test_the_hits_come_through_tls(
    encrypted: MilvusAddress, path: Path, certificates: dict[str, Certificate], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MILVUS_CA_FILE", str(certificates["own"].pem))
    there, here = open_there(encrypted), Searcher.open(path, encoder=FakeEncoder())
    for query in QUERIES:
        assert_same(there.search(query), here.search(query))


@pytest.mark.parametrize(
    ("is_encrypted", "variables"),
    [
        (True, {"MILVUS_CA_FILE": "other"}),
        (True, {"MILVUS_TLS": "1"}),
        (True, {}),
        (False, {"MILVUS_CA_FILE": "own"}),
    ],
    ids=["another-certificate", "a-certificate-nobody-vouches-for", "no-tls-here", "no-tls-there"],
)
def test_a_connection_that_cannot_be_trusted_is_not_made(
    encrypted: MilvusAddress,
    plain: MilvusAddress,
    certificates: dict[str, Certificate],
    monkeypatch: pytest.MonkeyPatch,
    is_encrypted: bool,
    variables: dict[str, str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, str(certificates[value].pem) if value in certificates else value)
    with pytest.raises(EngineError) as raised:
        open_there(encrypted if is_encrypted else plain)
    assert "MILVUS_TLS" in str(raised.value)
    assert ("MILVUS_CA_FILE" in str(raised.value)) == bool(variables)
    assert FIRST_TOKEN not in str(raised.value)


@pytest.mark.parametrize("content", [None, "no certificate"], ids=["missing", "something-else"])
def test_a_file_that_is_not_a_certificate_is_reported(
    encrypted: MilvusAddress, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    monkeypatch.setenv("MILVUS_CA_FILE", str(file))
    with pytest.raises(RetrievalError, match="MILVUS_CA_FILE"):
        open_there(encrypted)


def test_a_refused_token_is_never_shown(
    encrypted: MilvusAddress,
    certificates: dict[str, Certificate],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MILVUS_CA_FILE", str(certificates["own"].pem))
    monkeypatch.setenv("MILVUS_TOKEN", f"root:{SECRET}")
    with caplog.at_level(logging.DEBUG), pytest.raises(EngineError, match="MILVUS_TOKEN") as raised:
        open_there(encrypted)
    told = [str(raised.value), repr(raised.value), caplog.text, *capfd.readouterr()]
    assert not any(SECRET in text for text in told)
