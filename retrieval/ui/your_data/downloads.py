"""What a visitor takes along: the index, the report and the figures, each as one file, which the page then fetches."""

from __future__ import annotations

import json
from typing import Any

import gradio as gr

from retrieval.benchmark.machine import about_machine
from retrieval.errors import CorpusError
from retrieval.evaluation.frontier.points import Frontier
from retrieval.ui.frontier.report import report
from retrieval.ui.frontier.values import wish_of
from retrieval.ui.views import Update
from retrieval.ui.your_data.layout import OwnLayout
from retrieval.ui.your_data.session import OwnSession
from retrieval.ui.your_data.zip import folder_name, write_zip


class Downloads:
    """Makes the files. Each step takes a visitor's session, and raises a `RetrievalError` or `OSError` if it fails."""

    def __init__(self, parts: OwnLayout) -> None:
        self._parts = parts

    def zip(self, session: OwnSession) -> Update:
        """Returns the index as one file."""
        own = session.built()
        target = session.download_folder / f"{folder_name(own.label)}.zip"
        if not target.exists():
            write_zip(own.folder, target)
        return {self._parts.download: gr.DownloadButton(value=str(target)), self._parts.message: ""}

    def report(self, session: OwnSession, frontier: Frontier | None, *wish: Any) -> Update:
        """Returns the report on a frontier for a wish."""
        return self._made(session, "html", report(_measured(frontier), wish_of(*wish), about_machine()))

    def figures(self, session: OwnSession, frontier: Frontier | None) -> Update:
        """Returns the figures of a frontier as JSON."""
        figures = {"machine": about_machine(), **_measured(frontier).to_json()}
        return self._made(session, "json", json.dumps(figures, indent=1))

    def _made(self, session: OwnSession, suffix: str, content: str) -> Update:
        target = session.download_folder / f"frontier.{suffix}"
        target.write_text(content, encoding="utf-8")
        return {self._parts.frontier.download: gr.DownloadButton(value=str(target)), self._parts.message: ""}


def _measured(frontier: Frontier | None) -> Frontier:
    if frontier is None:
        raise CorpusError("this measurement is no longer here: measure again.")
    return frontier
