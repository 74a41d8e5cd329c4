"""A small web site on 127.0.0.1 that keeps a log of every request it was asked.

with Site({"/": html("<h1>Start</h1>")}) as site:
    requests_made_by(site.url("/"))
    assert site.paths() == ["/"]
"""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class Reply:
    """What the site answers at one path."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """One line of the site's log."""

    path: str
    headers: Mapping[str, str]
    at: float
    """Monotonic seconds."""


Handler = Callable[[BaseHTTPRequestHandler], None]
"""Writes a whole answer by itself, e.g. a broken one."""


def html(body: str, *, head: str = "", status: int = 200, **headers: str) -> Reply:
    """An HTML page in UTF-8."""
    text = f'<!DOCTYPE html><html lang="de"><head><meta charset="utf-8">{head}</head><body>{body}</body></html>'
    return Reply(text.encode(), status, {"Content-Type": "text/html; charset=utf-8", **_named(headers)})


def plain(text: str, content_type: str = "text/plain; charset=utf-8", status: int = 200, **headers: str) -> Reply:
    """A text file."""
    return Reply(text.encode(), status, {"Content-Type": content_type, **_named(headers)})


def redirect(location: str, status: int = 302) -> Reply:
    """A redirect."""
    return Reply(b"", status, {"Location": location})


def _named(headers: Mapping[str, str]) -> dict[str, str]:
    return {name.replace("_", "-"): value for name, value in headers.items()}


class Site:
    """A site whose pages are a mapping from path (with query) to `Reply` or `Handler`; what is absent is a 404.

    The mapping may be changed while the site runs. A page with an ETag answers 304 to a matching If-None-Match, one
    with a Last-Modified alone to the same date in If-Modified-Since.
    """

    def __init__(self, pages: Mapping[str, Reply | Handler] | None = None) -> None:
        self.pages: dict[str, Reply | Handler] = dict(pages or {})
        self.log: list[Asked] = []
        site = self

        class Answering(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = 64 * 1024

            def do_GET(self) -> None:
                site.log.append(Asked(self.path, dict(self.headers.items()), time.monotonic()))
                site._answer(self)

            def log_message(self, *args: Any) -> None:
                """Keep quiet: the log is `Site.log`."""

        class Server(ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request: Any, client_address: Any) -> None:
                """A client that hangs up is what some tests are about."""

        self._server = Server(("127.0.0.1", 0), Answering)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def port(self) -> int:
        """The port the system chose."""
        return int(self._server.server_address[1])

    @property
    def host(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/") -> str:
        """The address of a path."""
        return f"http://{self.host}{path}"

    def paths(self, *, without: tuple[str, ...] = ("/robots.txt", "/.well-known/tdmrep.json")) -> list[str]:
        """The paths that were asked for, in order, without what every crawl asks for first."""
        return [asked.path for asked in self.log if asked.path not in without]

    def _answer(self, request: BaseHTTPRequestHandler) -> None:
        reply = self.pages.get(request.path, Reply(b"nicht gefunden", 404, {"Content-Type": "text/plain"}))
        if not isinstance(reply, Reply):
            request.close_connection = True
            reply(request)
            return
        etag, changed = reply.headers.get("ETag"), reply.headers.get("Last-Modified")
        if etag is not None:
            unchanged = request.headers.get("If-None-Match") == etag
        else:
            unchanged = changed is not None and request.headers.get("If-Modified-Since") == changed
        request.send_response(304 if unchanged else reply.status)
        for name, value in reply.headers.items():
            request.send_header(name, value)
        body = b"" if unchanged else reply.body
        request.send_header("Content-Length", str(len(body)))
        request.end_headers()
        request.wfile.write(body)
