"""A headless Chromium, driven over its DevTools protocol, that tells what a page did."""

import asyncio
import functools
import http.server
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
from tornado.websocket import websocket_connect

from beyond_alignment.project import root

HTML = root() / "_build" / "html"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0")
QUIET_SECONDS = 0.5
PATIENCE_SECONDS = 30.0


@dataclass
class Visit:
    """What happened while a page was open.

    Attributes
    ----------
    errors
        Errors on the console and exceptions, network errors among them.
    requests
        Every address that the page asked for.
    answer
        What the question put to the page returned.
    """

    errors: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    answer: Any = None

    def note(self, event: dict[str, Any]) -> None:
        """Keep what an event of the protocol tells."""
        method, params = event.get("method"), event.get("params", {})
        if method == "Network.requestWillBeSent":
            self.requests.append(params["request"]["url"])
        elif method == "Log.entryAdded" and params["entry"]["level"] == "error":
            self.errors.append(f"{params['entry']['text']} {params['entry'].get('url', '')}")
        elif method == "Runtime.exceptionThrown":
            self.errors.append(str(params["exceptionDetails"].get("exception", params["exceptionDetails"])))
        elif method == "Runtime.consoleAPICalled" and params["type"] == "error":
            self.errors.append(" ".join(str(argument.get("value", "")) for argument in params["args"]))


@dataclass(frozen=True)
class Browser:
    """A running Chromium.

    Attributes
    ----------
    port
        Of its DevTools.
    """

    port: int

    def visit(self, url: str, *, question: str, scheme: str) -> Visit:
        """Open a page in the light or dark scheme, wait until it is quiet, and ask it a question in JavaScript."""
        return asyncio.run(self._visit(url, question, scheme))

    async def _visit(self, url: str, question: str, scheme: str) -> Visit:
        """Talk to the first tab."""
        tabs = json.loads(await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{self.port}/json/list").read()))
        socket = await websocket_connect(next(tab["webSocketDebuggerUrl"] for tab in tabs if tab["type"] == "page"))
        visit, number = Visit(), 0

        async def ask(method: str, **params: Any) -> dict[str, Any]:
            nonlocal number
            number += 1
            await socket.write_message(json.dumps({"id": number, "method": method, "params": params}))
            while (message := json.loads(await socket.read_message() or "{}")).get("id") != number:
                visit.note(message)
            return dict(message.get("result", {}))

        for domain in ("Page", "Network", "Log", "Runtime"):
            await ask(f"{domain}.enable")
        await ask("Log.clear")
        await ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        await ask("Page.navigate", url=url)
        began, seen = time.monotonic(), -1
        while time.monotonic() - began < PATIENCE_SECONDS:
            state = await ask("Runtime.evaluate", expression="document.readyState")
            if state.get("result", {}).get("value") == "complete" and seen == len(visit.requests):
                break
            seen = len(visit.requests)
            await asyncio.sleep(QUIET_SECONDS)
        answer = await ask("Runtime.evaluate", expression=question, returnByValue=True, awaitPromise=True)
        visit.answer = answer.get("result", {}).get("value")
        socket.close()
        return visit


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A Chromium with a profile of its own."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    profile: Path = tmp_path_factory.mktemp("chromium")
    command = [CHROMIUM, *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        port_file = profile / "DevToolsActivePort"
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not (port_file.is_file() and port_file.read_text()) and time.monotonic() < deadline:
            time.sleep(0.1)
        yield Browser(int(port_file.read_text().splitlines()[0]))
        process.terminate()


class _Quiet(http.server.SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *arguments: object) -> None:
        """Keep the test's output clean."""


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """Address of the built book on this machine."""
    if not HTML.is_dir():
        pytest.skip("the book is not built: run `make book` first")
    handler = functools.partial(_Quiet, directory=str(HTML))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
