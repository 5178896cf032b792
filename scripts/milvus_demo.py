"""Serve the page from a Milvus server on this machine: `make milvus-demo`.

The packaged server is started with a password of its own and its data in a temporary folder, the index is loaded into
it, and app.py serves the page; Ctrl-C ends all of it. The server listens on every network interface, and its inner
ports ask for no password: this is for trying out, behind a firewall.
"""

from __future__ import annotations

import argparse
import os
import secrets
import subprocess
import sys
from pathlib import Path

from retrieval.milvus.address import MilvusAddress
from retrieval.milvus.server import Server
from retrieval.milvus.settings import ConnectionSettings
from scripts import load_milvus
from scripts.packaged_milvus import FIRST_TOKEN, packaged_milvus
from scripts.report.terminal import command, run

ROOT = Path(__file__).resolve().parents[1]


@command()
def main(arguments: list[str] | None = None) -> int:
    """Runs the command and returns its exit status."""
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--index", type=Path, default=ROOT / "assets" / "indexes" / "python", metavar="DIR")
    made.add_argument("--port", default="7860", help="of the page")
    args = made.parse_args(arguments)
    with packaged_milvus(asks_for_token=True) as server:
        address = MilvusAddress.parse(f"{server.uri}/demo")
        user, _, password = FIRST_TOKEN.partition(":")
        own = secrets.token_urlsafe(16)
        Server(address, ConnectionSettings(FIRST_TOKEN)).set_password(user, password, own)
        os.environ["MILVUS_TOKEN"] = f"{user}:{own}"
        print(f"Milvus answers at {server.uri}, on every network interface: keep it behind a firewall.", flush=True)
        status = load_milvus.main(["--index", str(args.index), "--uri", str(address)])
        if status:
            return status
        return subprocess.run(
            [sys.executable, ROOT / "app.py", "--index", str(address), "--port", args.port], check=False
        ).returncode


if __name__ == "__main__":
    sys.exit(run(main))
