"""A stand-in of the Hugging Face hub on this machine, for tests and rehearsals.

It serves folders (`folders.py` says how they are laid out) over the routes on which the real clients, `datasets`
and `huggingface_hub`, read, and over those on which the latter publishes (`uploads.py`). What can go wrong on the
way is in `faults.py`:

    with HubStandIn(root) as hub:
        subprocess.run(command, env={**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(empty_folder)})

The clients read HF_ENDPOINT when they are imported, hence the process of its own.
"""

from __future__ import annotations

import threading
from pathlib import Path
from types import TracebackType

from scripts.hub_stand_in.handler import Handler
from scripts.hub_stand_in.sending import HubServer

_POLL_SECONDS = 0.02


class HubStandIn:
    """Serves the repositories under `root` while it is entered; `requests` lists what it was asked, in order,
    `created` which repositories."""

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        self._server = HubServer(root, port, Handler)
        self.requests = self._server.requests
        self.faults = self._server.faults
        self.access = self._server.access
        self.created = self._server.uploads.created
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(_POLL_SECONDS,), name="hub-stand-in", daemon=True
        )

    def __enter__(self) -> HubStandIn:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._server.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def endpoint(self) -> str:
        """Returns the URL for HF_ENDPOINT."""
        return self._server.endpoint
