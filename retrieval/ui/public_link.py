"""`--share`: Gradio's public link, requested with a time limit, and with a clear message if there is none.

The link goes through a tunnel program (frpc) that Gradio downloads when it is first needed. Gradio's own `share=True`
waits for half a minute or more without network access, and reports only to the terminal. Here the page is served first,
the link is requested meanwhile, and the page shows its status.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from urllib.parse import urlsplit

from gradio import networking, tunneling

from retrieval.errors import first_line

DEADLINE_S = 12.0
OpenTunnel = Callable[[], str]
"""Returns the public address, or raises; may take long."""


class PublicLink:
    """A public link that is being requested, is open, or is not available."""

    def __init__(self, open_tunnel: OpenTunnel) -> None:
        self.url: str | None = None
        self.failure: str | None = None
        self._open_tunnel = open_tunnel
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="public-link", daemon=True)

    @property
    def is_settled(self) -> bool:
        """Returns whether there is nothing left to wait for."""
        return self.url is not None or self.failure is not None

    @property
    def host(self) -> str | None:
        """Returns the link's host name, None if there is no link yet."""
        return None if self.url is None else urlsplit(self.url).hostname

    @property
    def note(self) -> str:
        """Returns what the page and the terminal say."""
        if self.url is not None:
            return f"This page is public for as long as it runs: {self.url}"
        if self.failure is not None:
            return (
                f"No public link: Gradio's tunnel program (frpc) could not be downloaded ({self.failure}). The page "
                "still works locally."
            )
        return "Requesting a public link…"

    def ask(self, deadline_s: float = DEADLINE_S) -> None:
        """Requests the link, and returns when it is there, or when it is clear that there will be none."""
        self._thread.start()
        self._thread.join(deadline_s)
        with self._lock:
            if not self.is_settled:
                self.failure = f"no answer after {deadline_s:g} s"

    def _run(self) -> None:
        url, failure = None, None
        try:
            url = self._open_tunnel()
        except Exception as error:  # noqa: BLE001 - whatever stops the tunnel, the page goes on locally and says why
            failure = _reason(error)
        with self._lock:
            if self.is_settled:
                # Too late: the visitor was told that there is no public link, so there must be none.
                close_tunnels()
            else:
                self.url, self.failure = url, failure


def gradio_tunnel(host: str, port: int) -> str:
    """Returns the address of a new tunnel to the local server, which stays open until the program ends."""
    address: str = networking.setup_tunnel(host, port, secrets.token_urlsafe(32), None, None)
    return address.replace("http://", "https://", 1)


def close_tunnels() -> None:
    """Closes what `gradio_tunnel` opened."""
    for tunnel in tunneling.CURRENT_TUNNELS:
        tunnel.kill()


def _reason(error: Exception) -> str:
    cause = error.__cause__
    return first_line(error) + (f": {cause}" if cause is not None and str(cause) else "")
