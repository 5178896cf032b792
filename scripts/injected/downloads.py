"""Downloads that are killed, and hubs that stall, break off, never answer, or are not there."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from retrieval import RetrievalError
from retrieval.encoding.model_files import locate_model
from retrieval.hub import fetch_bundle
from scripts.hub_stand_in import faults as hub_faults
from scripts.hub_stand_in.folders import revision_folder
from scripts.hub_stand_in.server import HubStandIn
from scripts.injected.parts import TIME_LIMIT_S, Fault, build_small, content_of, not_refused, seconds_of, started_child

REPO = "me/index"
_ROWS = 5_000
_WEIGHTS_BYTES = 3_000_000
_SHORT_S, _LONG_S = 1, 60
"""How long the client waits for more of a file: from a hub that is about to fail, and from one that does not."""
What = Literal["index", "model"]


def run(kills: int = 50, seed: int = 0, subjects: Sequence[What] = ("index", "model")) -> list[Fault]:
    """Returns what came of downloads of an index, or of a model, that were disturbed, each tried again afterwards."""
    with tempfile.TemporaryDirectory() as name, HubStandIn(Path(name) / "hub") as hub:
        home = Path(name)
        _publish(hub, home)
        found = []
        for what in subjects:
            downloads = _Downloads(what, hub, home, random.Random(seed))
            found += [downloads.killed(kills), downloads.faulty(), downloads.without_hub()]
    return found


def _publish(hub: HubStandIn, home: Path) -> None:
    folder = build_small(home / "index", _ROWS).path
    shutil.copytree(folder, revision_folder(hub.root, REPO), dirs_exist_ok=True)
    model = revision_folder(hub.root, REPO, repo_type="model")
    model.mkdir(parents=True)
    _write_weights(model / "model.safetensors")
    (model / "modules.json").write_text('[{"path": "", "type": "T"}]')
    (model / "tokenizer.json").write_text("{}")


def _write_weights(path: Path) -> None:
    import numpy as np
    from safetensors.numpy import save_file

    save_file({"weights": np.random.default_rng(0).random(_WEIGHTS_BYTES // 8)}, path)


@dataclass
class _Downloads:
    what: What
    hub: HubStandIn
    home: Path
    rng: random.Random

    @property
    def source(self) -> Path:
        kind = "model" if self.what == "model" else "dataset"
        return revision_folder(self.hub.root, REPO, repo_type=kind)

    def killed(self, kills: int) -> Fault:
        """Kills downloads: some at random moments, every second one while the hub holds a file back half-way."""
        fault = Fault(f"download of {self._article} killed (kill -9) at a random moment")
        lasts_s = seconds_of(self._started(self.home / f"undisturbed-{self.what}", self.hub.endpoint))
        for case in range(kills):
            cache = self.home / f"killed-{self.what}-{case}"
            if case % 2:
                self._strike("stall", self.rng)
            with self._started(cache, self.hub.endpoint) as child:
                try:
                    child.wait(self.rng.uniform(0, 1.1) * lasts_s)
                except subprocess.TimeoutExpired:
                    child.kill()
            self.hub.faults.clear()
            fault.outcomes[self._again(cache, "went on to equal bytes")] += 1
        return fault

    def faulty(self) -> Fault:
        """Has the hub stall, break off, or be busy, half-way through each large file."""
        fault = Fault(f"download of {self._article} from a hub that stalls or breaks off half-way")
        kinds: tuple[hub_faults.Kind, ...] = ("stall", "cut", "busy")
        for case, kind in enumerate(kinds):
            cache = self.home / f"faulty-{self.what}-{case}"
            self._strike(kind, self.rng, times=None)
            fault.outcomes[self._refused_then_done(cache, self.hub.endpoint)] += 1
        return fault

    def without_hub(self) -> Fault:
        """Asks where nobody listens, and where somebody accepts and never answers."""
        fault = Fault(f"download of {self._article} without a network, or from a hub that never answers")
        with socket.socket() as silent, socket.socket() as closed:
            for place in (silent, closed):
                place.bind(("127.0.0.1", 0))
            silent.listen()
            for case, place in enumerate((silent, closed)):
                cache = self.home / f"without-{self.what}-{case}"
                endpoint = f"http://127.0.0.1:{place.getsockname()[1]}"
                fault.outcomes[self._refused_then_done(cache, endpoint)] += 1
        return fault

    @property
    def _article(self) -> str:
        return "an index" if self.what == "index" else "a model"

    def _strike(self, kind: hub_faults.Kind, rng: random.Random, times: int | None = 1) -> None:
        files = [path for path in sorted(self.source.rglob("*")) if path.is_file() and path.stat().st_size > 100_000]
        file = rng.choice(files)
        after = rng.randrange(1, file.stat().st_size)
        self.hub.faults.append(hub_faults.Fault(file.name, kind, after_bytes=after, times=times))

    def _refused_then_done(self, cache: Path, endpoint: str) -> str:
        with self._started(cache, endpoint, _SHORT_S) as child:
            try:
                errors = child.communicate(timeout=TIME_LIMIT_S)[1].decode()
            except subprocess.TimeoutExpired:
                child.kill()
                return "no answer in time"
        self.hub.faults.clear()
        wrong = not_refused(child.returncode, errors)
        return wrong or self._again(cache, "refused with a message, then done whole")

    def _again(self, cache: Path, outcome: str) -> str:
        with self._started(cache, self.hub.endpoint) as child:
            try:
                told, errors = child.communicate(timeout=TIME_LIMIT_S)
            except subprocess.TimeoutExpired:
                child.kill()
                return "no answer in time"
        if child.returncode != 0:
            print(errors.decode(), file=sys.stderr)
            return "another error"
        expected = {name: value for name, value in content_of(self.source).items() if name != "README.md"}
        if content_of(Path(told.decode().splitlines()[-1])) != expected:
            return "other files"
        stray = [path for path in cache.rglob("*") if path.name.endswith((".part", ".fetching", ".incomplete"))]
        return "files left behind" if stray else outcome

    def _started(
        self, cache: Path, endpoint: str, silence_s: int = _LONG_S
    ) -> AbstractContextManager[subprocess.Popen[bytes]]:
        """Starts a download, which is given when it has imported what it needs."""
        return started_child(
            "downloads", self.what, HF_ENDPOINT=endpoint, HF_HOME=str(self.home / "hf"), HF_HUB_OFFLINE="0",
            HF_HUB_DOWNLOAD_TIMEOUT=str(silence_s), HF_HUB_DISABLE_XET="1", EMBEDDING_QUANTIZATION_CACHE=str(cache),
        )  # fmt: skip


def main(arguments: Sequence[str]) -> int:
    """Downloads the index or the model, prints its folder, and returns the exit status."""
    import httpx2  # noqa: F401
    import huggingface_hub.file_download  # noqa: F401 - imported late by what is called below

    [what] = arguments
    print("ready", flush=True)
    try:
        if what == "index":
            print(fetch_bundle(f"hf://datasets/{REPO}", Path(os.environ["EMBEDDING_QUANTIZATION_CACHE"])))
        else:
            print(locate_model(REPO).folder)
    except RetrievalError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
