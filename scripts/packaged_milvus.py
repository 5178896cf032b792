"""A Milvus server out of the PyPI package `milvus`, for Linux: to try it out, and for tests and measurements.

    .venv/bin/python scripts/packaged_milvus.py [--data DIR] [--port P]     serves until Ctrl-C

It is Milvus 2.3.5 in one process, without authentication. A server for real is run as Milvus's own documents say.
"""

from __future__ import annotations

import argparse
import fcntl
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from urllib.request import ProxyHandler, build_opener

from retrieval import DependencyError, RetrievalError
from scripts.report.terminal import command, run

INSTALL = "python -m pip install milvus==2.3.5 pymilvus==3.0.2"
HOST = "127.0.0.1"
FIRST_TOKEN = "root:Milvus"
_PORTS = range(20_000, 32_000)
_ATTEMPTS = 3
_START_S = 120.0
_STOP_S = 10.0
_SESSION_S = 15
"""After a crash, a new server waits until what the old one held has run out."""


class PackagedMilvus:
    """A server that can be stopped, killed and started again over the same data."""

    def __init__(self, data: Path, port: int | None = None, *, asks_for_token: bool = False) -> None:
        """Takes a folder for its data, and a port.

        Args:
            data: the folder.
            port: None: a free one.
            asks_for_token: whether calls need a token; that of a new server is `FIRST_TOKEN`.

        Raises:
            DependencyError: if the package is not installed, as on anything but Linux.
        """
        try:
            import milvus
        except ImportError as error:
            raise DependencyError(f"the packaged server needs Linux and {INSTALL}") from error
        self._package = milvus
        self.data = data.resolve()
        self.port = port
        self._asks_for_token = asks_for_token
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def uri(self) -> str:
        """Returns where it answers, as `scripts/load_milvus.py` takes it."""
        return f"milvus://{HOST}:{self.port}"

    @property
    def pid(self) -> int:
        """Returns the number of its process."""
        if self._process is None:
            raise RuntimeError("the server is not running")
        return self._process.pid

    def start(self) -> None:
        """Returns when it answers.

        Raises:
            RetrievalError: if it ends, or does not answer for minutes.
        """
        self.data.mkdir(parents=True, exist_ok=True)
        for _ in range(_ATTEMPTS):  # another program may take a port between the look for it and the start
            health_port = self._start()
            if self._answers(health_port):
                return
            self.stop()
        raise RetrievalError(f"the packaged Milvus does not start: its log is in {self.data / 'logs'}.")

    def stop(self) -> None:
        """Ends it, in good order where that takes no longer than some seconds."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_STOP_S)
            except subprocess.TimeoutExpired:
                self.kill()
            self._process = None

    def kill(self) -> None:
        """Ends it at once, as a crash would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def _start(self) -> int:
        """Starts the process, and returns the port of its health check."""
        config = self._package.MilvusServerConfig(data_dir=str(self.data))
        names = [name for name in config.configurable_items if name.endswith("_port")]
        health_port, etcd_port, *ports = _free_ports(len(names) + 2)
        settings = dict(zip(names, ports, strict=True))
        self.port = settings["proxy_port"] = self.port or settings["proxy_port"]
        config.resolve_storage()
        for name, port in settings.items():
            config.set(name, port)
        config.set("authorization_enabled", self._asks_for_token)
        config.write_config()
        etcd = self.data / "configs" / "etcd.yaml"
        etcd.write_text(_etcd_settings(settings["etcd_port"], etcd_port, self.data / "data" / "etcd.data"))
        programs = _unpacked()
        environment = {
            **os.environ,
            "DEPLOY_MODE": "STANDALONE",
            "METRICS_PORT": str(health_port),
            "MILVUS_RUN_DIR": str(self.data / "run"),
            "ETCD_CONFIG_PATH": str(etcd),
            "COMMON_SESSION_TTL": str(_SESSION_S),
            "LD_LIBRARY_PATH": str(programs),
        }
        with (self.data / "logs" / "output.log").open("ab") as log:
            self._process = subprocess.Popen(
                [programs / "milvus", "run", "standalone"], cwd=self.data, env=environment, stdout=log, stderr=log
            )
        return health_port

    def _answers(self, health_port: int) -> bool:
        """Returns whether it answers, once it does, or ended, or took too long."""
        assert self._process is not None
        opener, deadline = build_opener(ProxyHandler({})), time.monotonic() + _START_S
        while time.monotonic() < deadline and self._process.poll() is None:
            with suppress(OSError), opener.open(f"http://{HOST}:{health_port}/healthz", timeout=5) as answer:
                if b"OK" in answer.read():
                    return True
            time.sleep(0.1)
        return False


@contextmanager
def packaged_milvus(
    data: Path | None = None, port: int | None = None, *, asks_for_token: bool = False
) -> Iterator[PackagedMilvus]:
    """Runs a server for the length of the block; without a folder, its data is deleted in the end.

    Raises:
        RetrievalError: if it is not installed or does not start.
    """
    folder = data or Path(tempfile.mkdtemp(prefix="milvus-"))
    try:
        server = PackagedMilvus(folder, port, asks_for_token=asks_for_token)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        if data is None:
            shutil.rmtree(folder, ignore_errors=True)


def _unpacked() -> Path:
    """Returns the folder of the server's programs, which are unpacked once: that takes ten seconds of a core."""
    import milvus

    folder = Path(sys.prefix) / "share" / f"milvus-{milvus.__version__}"
    if not os.access(sys.prefix, os.W_OK):
        folder = Path(tempfile.gettempdir()) / f"milvus-{milvus.__version__}-{os.getuid()}"
    with (Path(tempfile.gettempdir()) / f"milvus-{os.getuid()}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            folder.parent.mkdir(parents=True, exist_ok=True)
            temporary = Path(tempfile.mkdtemp(prefix="milvus-", dir=folder.parent))
            milvus._initialize_data_files(str(temporary))
            (temporary / "bin").rename(folder)
            temporary.rmdir()
    return folder


def _etcd_settings(port: int, peer_port: int, data: Path) -> str:
    """Returns the settings of the etcd inside: its own would be the same ports for every server of a machine."""
    url, peer_url = f"http://{HOST}:{port}", f"http://{HOST}:{peer_port}"
    return (
        f"listen-client-urls: {url}\nadvertise-client-urls: {url}\nlisten-peer-urls: {peer_url}\n"
        f"initial-advertise-peer-urls: {peer_url}\ninitial-cluster: default={peer_url}\ndata-dir: {data}\n"
    )


def _free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens on, below those that the system assigns by itself."""
    found: list[int] = []
    while len(found) < count:
        port = secrets.choice(_PORTS)
        with socket.socket() as probe, suppress(OSError):
            probe.bind((HOST, port))
            if port not in found:
                found.append(port)
    return found


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--data", type=Path, metavar="DIR", help="where its data stays; without it, it is deleted")
    made.add_argument("--port", type=int, default=19530)
    args = made.parse_args(arguments)
    with packaged_milvus(args.data, args.port) as server:
        print(f"Milvus answers at {server.uri} - stop with Ctrl-C", flush=True)
        while True:
            time.sleep(1)


if __name__ == "__main__":
    sys.exit(run(main))
