"""A stand-in of the Hugging Face hub on this machine, for tests and rehearsals.

It serves folders (`hub_folders.py` says how they are laid out) over the routes on which the real clients, `datasets`
and `huggingface_hub`, read, and over those on which the latter publishes (`hub_uploads.py`). What can go wrong on the
way is in `hub_faults.py`:

    with HubStandIn(root) as hub:
        subprocess.run(command, env={**os.environ, "HF_ENDPOINT": hub.endpoint, "HF_HOME": str(empty_folder)})

The clients read HF_ENDPOINT when they are imported, hence the process of its own.
"""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from types import TracebackType

from scripts.hub_stand_in.faults import Access
from scripts.hub_stand_in.handler import Handler, HubServer
from scripts.hub_stand_in.uploads import Uploads

_POLL_SECONDS = 0.02


class HubStandIn:
    """Serves the repositories under `root` while it is entered; `requests` lists what it was asked, in order,
    `created` which repositories."""

    def __init__(self, root: Path, port: int = 0) -> None:
        self.root = root
        self._server = _Server(root, port)
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


class _Server(HubServer):
    daemon_threads = True

    def __init__(self, root: Path, port: int) -> None:
        self.root = root
        self.requests = []
        self.faults = []
        self.access = Access()
        self.uploads = Uploads(root)
        self.closing = threading.Event()
        super().__init__(("127.0.0.1", port), Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Says nothing about clients that hang up: a test that resumes a download does just that."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]
