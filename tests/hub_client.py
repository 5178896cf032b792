"""The real client in this process, pointed at the hub's stand-in, and without what the stand-in lacks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from retrieval.bundle.bundle import Bundle
from retrieval.hub import PublishOptions, publish_bundle
from scripts.hub_stand_in.server import HubStandIn
from tests.support import PATIENCE_S

CLIENT_NOISE = pytest.mark.filterwarnings("ignore:Use 'content=<...>':DeprecationWarning")
"""The client sends files in a way that its own HTTP library advises against."""
REPO = "me/index"
ADDRESS = f"hf://datasets/{REPO}"


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[HubStandIn]:
    """A hub without repositories; its client tries again at once."""
    from huggingface_hub import close_session, constants, file_download

    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", PATIENCE_S)
    monkeypatch.setattr("retrieval.hub.fetching.ANSWER_LIMIT_S", PATIENCE_S)
    monkeypatch.setattr(file_download, "time", SimpleNamespace(sleep=lambda seconds: None, time=time.time))
    monkeypatch.setenv("HF_TOKEN", "")
    monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
    with HubStandIn(tmp_path / "hub") as stand_in:
        yield stand_in
    close_session()


def give_up_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Makes the client wait for fractions of a second for a hub that sends nothing more."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_DOWNLOAD_TIMEOUT", 0.2)
    monkeypatch.setattr("retrieval.hub.fetching.ANSWER_LIMIT_S", 0.5)


def publish(hub: HubStandIn, bundle: Bundle, **options: object) -> str:
    """Publishes an index as `REPO`, and returns its commit."""
    published = publish_bundle(bundle.path, REPO, PublishOptions(**options), endpoint=hub.endpoint)  # type: ignore[arg-type]
    return str(published.address.revision)
