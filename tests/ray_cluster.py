"""A real Ray cluster of two nodes on this machine's loopback, each with processes of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

_START_WITHIN_S = 300
_ANSWER_S = 120
_LOOPBACK_ONLY = {"RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0"}
"""Otherwise Ray replaces 127.0.0.1 by an address that other machines can reach, on Linux."""
ENVIRONMENT = {**os.environ, **_LOOPBACK_ONLY, "RAY_USAGE_STATS_ENABLED": "0", "PYTHONWARNINGS": "ignore"}


@contextmanager
def running_cluster() -> Iterator[str]:
    """Gives the address of a cluster, and ends all of its processes afterwards."""
    # A short name: Ray's sockets lie below, whose paths have a limit.
    with tempfile.TemporaryDirectory(prefix="ray-", ignore_cleanup_errors=True) as folder:
        yield from _running_in(folder)


def _running_in(folder: str) -> Iterator[str]:
    deadline = time.monotonic() + _START_WITHIN_S
    while True:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.ray_cluster", folder], env=ENVIRONMENT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        try:
            assert process.stdout is not None
            address = process.stdout.readline().strip()
            if address:
                yield address
                return
        finally:
            _end_with_children(process)
        # Ray gives up a node whose helpers take more than 15 s to start, which happens on a busy machine.
        assert time.monotonic() < deadline, f"no Ray cluster within {_START_WITHIN_S} s"


def _end_with_children(process: subprocess.Popen[str]) -> None:
    with suppress(psutil.NoSuchProcess):
        started = psutil.Process(process.pid).children(recursive=True)
        process.kill()
        for each in started:
            with suppress(psutil.NoSuchProcess):
                each.kill()
        psutil.wait_procs(started, timeout=_ANSWER_S)
    process.communicate()


def main(folder: str) -> None:
    """Starts the nodes with their files in a folder, says the address, and stays until standard input is closed."""
    from ray.cluster_utils import Cluster

    # Ray notes its cluster there, and takes it for granted that its own command has made the folder.
    Path(tempfile.gettempdir(), "ray").mkdir(exist_ok=True)
    cluster = Cluster()
    for _ in range(2):
        cluster.add_node(
            num_cpus=1,
            object_store_memory=100 * 2**20,
            node_ip_address="127.0.0.1",
            include_dashboard=False,
            temp_dir=folder,
        )
    sys.stdout.write(f"{cluster.address}\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1])
