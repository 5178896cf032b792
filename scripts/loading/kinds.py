"""What visitors do: search, compare, look under the hood, upload. Each answer must be that to its own text."""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote_plus

import httpx

ROUTES = ("/gradio_api/run/search", "/api/search")
_ROWS = 40


class CrossTalkError(Exception):
    """An answer is not that to what was asked."""


Ask = Callable[[httpx.AsyncClient, str], Awaitable[httpx.Response]]
"""Asks a text, and returns the answer, which is checked where its status is 200."""


async def asking(route: str, client: httpx.AsyncClient) -> Ask:
    """Returns what asks one query through a route, with the defaults of the server."""
    if route == "/api/search":

        async def get(client: httpx.AsyncClient, text: str) -> httpx.Response:
            answer = await client.get(route, params={"q": text})
            return _checked(answer, lambda: answer.json()["query"] == text)

        return get
    about = (await client.get("/gradio_api/info")).json()["named_endpoints"]["/search"]["parameters"]
    defaults = [each.get("parameter_default") for each in about[1:]]  # the first one is the query

    async def post(client: httpx.AsyncClient, text: str) -> httpx.Response:
        answer = await client.post(route, json={"data": [text, *defaults]})
        return _checked(answer, lambda: answer.json()["data"][0]["query"] == text)

    return post


async def kinds(client: httpx.AsyncClient) -> Mapping[str, Ask]:
    """Returns what visitors do, by its name; searching is through `/api/search`."""
    config = (await client.get("/config")).json()
    return {
        "search": await asking("/api/search", client),
        "compare": _comparing,
        "hood": _view("hood", config),
        "page": _view("search", config),
        "upload": _uploading,
    }


async def _comparing(client: httpx.AsyncClient, text: str) -> httpx.Response:
    answer = await client.post("/gradio_api/run/compare", json={"data": [text, 10, None]})
    return _checked(answer, lambda: answer.json()["data"][0]["query"] == text)


def _view(key: str, config: Mapping[str, Any]) -> Ask:
    """Returns what asks a view of the page, as its script does after each key."""
    [handler] = [each for each in config["dependencies"] if each["api_name"] == "follow"]
    values = {each["id"]: each["props"].get("value") for each in config["components"]}
    names = {each["id"]: each["props"].get("elem_id") for each in config["components"]}

    async def ask(client: httpx.AsyncClient, text: str) -> httpx.Response:
        own = {"active-view": key, "query": text}
        data = [own.get(names[each], values[each]) for each in handler["inputs"]]
        answer = await client.post("/gradio_api/run/follow", json={"data": data})
        # The answer has the address of the page in it, and in Under the hood the query itself.
        wanted = text if key == "hood" else quote_plus(text)
        return _checked(answer, lambda: wanted in _shown(answer))

    return ask


async def _uploading(client: httpx.AsyncClient, text: str) -> httpx.Response:
    """Uploads a table, and looks at its first rows, as a visitor of its own."""
    session = f"visitor-{abs(hash(text))}"
    lines = "".join(f"a line of {session}, number {number}\n" for number in range(_ROWS))
    sent = await client.post("/gradio_api/upload", files={"files": ("notes.txt", lines.encode())})
    if sent.status_code != 200:
        return sent
    file = {"path": sent.json()[0], "meta": {"_type": "gradio.FileData"}}
    taken = await _run(client, "take_file", [file], session)
    if taken.status_code != 200:
        return taken
    looked = await _run(client, "look", [], session)
    await _run(client, "delete", [None, ""], session)
    # Where too many are looking, the visitor is told so.
    return _checked(looked, lambda: session in (found := _shown(looked)) or "jobs are waiting" in found)


async def _run(client: httpx.AsyncClient, name: str, data: Sequence[Any], session: str) -> httpx.Response:
    return await client.post(f"/gradio_api/run/{name}", json={"data": data, "session_hash": session})


def _shown(answer: httpx.Response) -> str:
    """Returns the texts that the page would show."""
    return html.unescape("\n".join(each for each in answer.json()["data"] if isinstance(each, str)))


def _checked(answer: httpx.Response, is_right: Callable[[], bool]) -> httpx.Response:
    if answer.status_code == 200 and not is_right():
        raise CrossTalkError(answer.text[:500])
    return answer
