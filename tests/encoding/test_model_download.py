"""Models from the hub: the right one for a name without an owner, only what is needed, and an end to every silence."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from retrieval.encoding.model_files import locate_model
from scripts.hub_stand_in.faults import Fault
from scripts.hub_stand_in.folders import revision_folder
from scripts.hub_stand_in.server import HubStandIn
from tests.encoding.weights import write_weights

ROOT = Path(__file__).parents[2]


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[HubStandIn]:
    with HubStandIn(tmp_path / "hub") as stand_in:
        yield stand_in


def published_model(hub: HubStandIn, name: str) -> Path:
    folder = revision_folder(hub.root, name, repo_type="model")
    write_weights(folder / "model.safetensors", value=float(len(name)))
    write_weights(folder / "1_Dense" / "model.safetensors")
    write_weights(folder / "other" / "model.safetensors")
    modules = [{"path": "", "type": "T"}, {"path": "1_Dense", "type": "D"}]
    (folder / "modules.json").write_text(json.dumps(modules))
    (folder / "tokenizer.json").write_text("{}")
    (folder / "pytorch_model.bin").write_bytes(b"never asked for")
    (folder / "modeling.py").write_text("raise RuntimeError")
    return folder


def located(tmp_path: Path, model: str, endpoint: str, **environment: str) -> dict[str, str]:
    """Returns what a process that asks this hub makes of a model: its name, folder and hash, or the error."""
    code = (
        "import json, sys\n"
        "from retrieval.encoding.model_files import locate_model\n"
        "from retrieval.errors import ModelError\n"
        "try:\n"
        "    found = locate_model(sys.argv[1])\n"
        "    told = {'id': found.model_id, 'folder': str(found.folder), 'sha': found.weights_sha256}\n"
        "except ModelError as error:\n"
        "    told = {'error': str(error)}\n"
        "print(json.dumps(told))\n"
    )
    here = {"PYTHONPATH": str(ROOT), "HF_ENDPOINT": endpoint, "HF_HOME": str(tmp_path / "hf"), "HF_HUB_OFFLINE": "0"}
    here |= {"EMBEDDING_QUANTIZATION_CACHE": str(tmp_path / "cache"), **environment}
    command = [sys.executable, "-c", code, model]
    run = subprocess.run(
        command, capture_output=True, text=True, timeout=900, env={**os.environ, **here}, cwd=tmp_path, check=False
    )
    assert run.returncode == 0, run.stderr
    told: dict[str, str] = json.loads(run.stdout)
    return told


def test_only_what_is_loaded_is_downloaded_and_only_once(hub: HubStandIn, tmp_path: Path) -> None:
    source = published_model(hub, "someone/model")
    told = located(tmp_path, "someone/model", hub.endpoint)
    folder = Path(told["folder"])
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert names == {"model.safetensors", "1_Dense/model.safetensors", "modules.json", "tokenizer.json"}
    assert told["sha"] == locate_model(source).weights_sha256
    asked = len(hub.requests)
    assert located(tmp_path, "someone/model", hub.endpoint) == told
    assert not [request.path for request in hub.requests[asked:] if "/resolve/" in request.path]


def test_a_name_without_an_owner_is_a_model_of_sentence_transformers(hub: HubStandIn, tmp_path: Path) -> None:
    published_model(hub, "sentence-transformers/tiny")
    assert located(tmp_path, "tiny", hub.endpoint)["id"] == "sentence-transformers/tiny"


@pytest.mark.parametrize("name", ["all-MiniLM-L6-v2", "all-minilm-l6-v2", "sentence-transformers/all-minilm-l6-v2"])
def test_the_default_model_may_be_named_without_its_owner(name: str) -> None:
    assert locate_model(name) == locate_model("sentence-transformers/all-MiniLM-L6-v2")


def test_a_name_that_nobody_has_is_an_error_of_one_line(hub: HubStandIn, tmp_path: Path) -> None:
    error = located(tmp_path, "no-such-model", hub.endpoint)["error"]
    assert "'no-such-model' is not a folder here and cannot be downloaded (the hub has no such model" in error
    assert "\n" not in error


def test_a_model_of_pickles_is_refused_before_anything_is_downloaded(hub: HubStandIn, tmp_path: Path) -> None:
    folder = published_model(hub, "someone/pickled")
    for weights in folder.rglob("*.safetensors"):
        weights.unlink()
    error = located(tmp_path, "someone/pickled", hub.endpoint)["error"]
    assert "has no safetensors on the hub but pytorch_model.bin, a pickle" in error
    assert not [request.path for request in hub.requests if "/resolve/" in request.path]


def test_a_hub_that_accepts_and_never_answers_is_given_up(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = located(tmp_path, "someone/model", f"http://127.0.0.1:{silent.getsockname()[1]}")["error"]
    assert "the hub did not answer in time" in error


def test_a_download_that_stalls_is_given_up_and_continues_later(hub: HubStandIn, tmp_path: Path) -> None:
    source = published_model(hub, "someone/model")
    hub.faults.append(Fault("main/model.safetensors", "stall", after_bytes=100))
    stalled = located(tmp_path, "someone/model", hub.endpoint, HF_HUB_DOWNLOAD_TIMEOUT="1")
    assert "the hub did not answer in time" in stalled["error"]
    hub.faults.clear()
    told = located(tmp_path, "someone/model", hub.endpoint)
    assert told["sha"] == locate_model(source).weights_sha256


def test_a_model_that_is_here_needs_no_network(hub: HubStandIn, tmp_path: Path) -> None:
    published_model(hub, "someone/model")
    told = located(tmp_path, "someone/model", hub.endpoint)
    assert located(tmp_path, "someone/model", "http://127.0.0.1:9") == told
    assert located(tmp_path, "someone/model", hub.endpoint, HF_HUB_OFFLINE="1") == told
