"""The real app on a machine of its own: it serves what it has while another index is on its way, and then that one."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest
from gradio_client import Client

from retrieval import build_index, load_encoder
from retrieval.bundle.bundle import Bundle
from retrieval.encoding.model_cache import cache_folder
from scripts.hub_stand_in.server import HubStandIn
from tests.conftest import RowsCorpus
from tests.hub_client import CLIENT_NOISE, REPO, hub, publish
from tests.page_server import APP, RunningApp, free_port, running_app
from tests.support import wait_until

__all__ = ["hub"]
pytestmark = [
    pytest.mark.model,
    CLIENT_NOISE,
    # The client leaves its connection to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]
ARRIVED = "feed a hungry elephant"


@pytest.fixture
def published(hub: HubStandIn, tmp_path: Path) -> HubStandIn:
    """A hub with an index of another text."""
    path = build_index(RowsCorpus([{"text": ARRIVED}]), load_encoder(), tmp_path / "other").path
    publish(hub, Bundle.open(path))
    return hub


@pytest.fixture
def root(tiny_index: Path, tmp_path: Path) -> Path:
    """A folder like a fresh checkout, whose small default is built already."""
    root = tmp_path / "root"
    shutil.copytree(tiny_index, root / "assets" / "indexes" / "python")
    shutil.copy(APP, root / "app.py")
    return root


def environment(root: Path, hub_url: str, **changes: str) -> Mapping[str, str]:
    home = {"HF_HOME": str(root / "hf"), "EMBEDDING_QUANTIZATION_CACHE": str(root / "cache")}
    cache = root / "cache"
    cache.mkdir(exist_ok=True)
    for model in cache_folder().glob("*-openvino-*"):
        if not (cache / model.name).exists():
            (cache / model.name).symlink_to(model)
    return {**home, "HF_ENDPOINT": hub_url, "PYTHONPATH": str(APP.parent), **changes}


def first_text(app: RunningApp) -> str:
    client = Client(app.url, verbose=False)
    return str(client.predict("hungry elephant", top_k=1, api_name="/search")["hits"][0]["text"])


def wait_for(app: RunningApp, words: str) -> None:
    wait_until(lambda: words in app.output, told=lambda: app.output)


def test_a_published_index_takes_over_without_a_restart(published: HubStandIn, root: Path) -> None:
    env = environment(root, published.endpoint, INDEX_REPO=REPO)
    with running_app(root, environment=env, app=root / "app.py") as running:
        wait_for(running, " is ready after")
        assert first_text(running) == ARRIVED
    nobody = environment(root, f"http://127.0.0.1:{free_port()}", INDEX_REPO=REPO)
    with running_app(root, environment=nobody, app=root / "app.py") as running:
        assert first_text(running) == ARRIVED


@pytest.mark.parametrize("unlucky", [{"INDEX_REPO": "me/missing"}, {"BUILD_CORPUS": "conala"}])
def test_the_page_continues_and_says_so_when_the_requested_index_fails(
    hub: HubStandIn, root: Path, unlucky: dict[str, str]
) -> None:
    with running_app(root, environment=environment(root, hub.endpoint, **unlucky), app=root / "app.py") as running:
        wait_for(running, " failed (")
        assert first_text(running) != ARRIVED
        assert "Traceback" not in running.output
