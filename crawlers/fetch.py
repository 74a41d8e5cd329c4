"""One request to one checked address: the only module that speaks HTTP (requests, urllib3).

Below: `web`, `addresses`. Above: `polite` decides what is asked and when; `archive` puts a WARC in this module's place.
The host is resolved once per request, every address is checked, and the connection goes to the checked address with
the right Host header and TLS name: a second answer of the name server (DNS rebinding) is never asked for.
"""

import socket
import threading
from collections.abc import Mapping
from http.cookiejar import DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection

from crawlers.addresses import ascii_host, public_addresses, system_resolver
from crawlers.inflate import Inflater, too_big
from crawlers.web import Answer, Limits, Now, Refusal, Resolver, media_type
from data.clock import utc_now

CHUNK_BYTES = 64 * 1024


class Watchdog:
    """Shuts the socket of a request that takes longer than it may, however slowly bytes keep dripping."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self._sockets: list[Any] = []
        self._timer = threading.Timer(seconds, self._fire)
        self._timer.daemon = True

    def __enter__(self) -> "Watchdog":
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()

    def watch(self, sock: Any) -> None:
        """Take a connected socket under guard."""
        self._sockets.append(sock)
        if self.fired:
            self._fire()

    def _fire(self) -> None:
        self.fired = True
        for sock in self._sockets:
            try:
                sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue


class _Running(threading.local):
    """What belongs to the request that this thread is making."""

    watchdog: Watchdog | None = None


class PinnedAdapter(HTTPAdapter):
    """A requests adapter that connects to the address that was checked, and to no other."""

    def __init__(self, *, resolver: Resolver, private_hosts: frozenset[str]) -> None:
        self.resolver = resolver
        self.private_hosts = private_hosts
        self.running = _Running()
        self._classes = {"http": self._watched(HTTPConnection), "https": self._watched(HTTPSConnection)}
        super().__init__(pool_connections=8, pool_maxsize=8, max_retries=0)

    def get_connection_with_tls_context(self, request: Any, verify: Any, proxies: Any = None, cert: Any = None) -> Any:
        """Resolve, check and connect in one step."""
        parts = urlsplit(request.url)
        name = parts.hostname or ""
        host = name if ":" in name else ascii_host(name)
        port = parts.port or (443 if parts.scheme == "https" else 80)
        addresses = public_addresses(host, port, resolver=self.resolver, allow_private=host in self.private_hosts)
        _, tls = self.build_connection_pool_key_attributes(request, verify, cert)
        keys: dict[str, Any] = dict(tls)
        if parts.scheme == "https":
            keys |= {"server_hostname": host, "assert_hostname": host}
        pool = self.poolmanager.connection_from_host(addresses[0], port, parts.scheme, pool_kwargs=keys)
        pool.ConnectionCls = self._classes[parts.scheme]
        return pool

    def _watched(self, base: type[HTTPConnection]) -> Any:
        adapter = self

        class Watched(base):  # type: ignore[misc,valid-type]
            def connect(self) -> None:
                super().connect()
                adapter.guard(self)

            def request(self, *args: Any, **kwargs: Any) -> None:
                adapter.guard(self)
                super().request(*args, **kwargs)

        return Watched

    def guard(self, connection: HTTPConnection) -> None:
        """Put the connection's socket, where there is one, under the running request's watchdog."""
        if self.running.watchdog is not None and connection.sock is not None:
            self.running.watchdog.watch(connection.sock)


class _Session(requests.Session):
    """A session that leaves redirects alone: requests would read the whole body of one before handing it over."""

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        return None


class HttpTransport:
    """Asks servers (`web.Transport`); may be used by several threads, each with one request at a time.

    Args:
        resolver: Name resolution.
        private_hosts: Host names that may lie in the local network (the source's own, if it allows that).
        limits: Sizes and times.
        now: Time stamp of answers.
    """

    def __init__(
        self,
        *,
        resolver: Resolver = system_resolver,
        private_hosts: frozenset[str] = frozenset(),
        limits: Limits | None = None,
        now: Now = utc_now,
    ) -> None:
        self.limits = limits or Limits()
        self.now = now
        self.adapter = PinnedAdapter(resolver=resolver, private_hosts=private_hosts)
        self.session = _Session()
        self.session.trust_env = False
        self.session.cookies.set_policy(_NoCookies())
        self.session.mount("http://", self.adapter)
        self.session.mount("https://", self.adapter)

    def get(
        self, url: str, headers: Mapping[str, str], *, max_bytes: int, accepts: frozenset[str] | None = None
    ) -> Answer:
        """Send one request (see `web.Transport.get`)."""
        limits = self.limits
        with Watchdog(limits.total_s) as watchdog:
            self.adapter.running.watchdog = watchdog
            try:
                response = self.session.get(
                    url,
                    headers={"Host": urlsplit(url).netloc, "Accept-Encoding": "gzip, deflate", **headers},
                    timeout=(limits.connect_s, limits.read_s),
                    allow_redirects=False,
                    stream=True,
                )
                with response:
                    return self._answer(url, response, max_bytes, accepts)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError, ValueError) as error:
                if watchdog.fired:
                    raise too_slow(limits.total_s) from error
                raise _refusal(error) from error

    def _answer(self, url: str, response: requests.Response, max_bytes: int, accepts: frozenset[str] | None) -> Answer:
        headers = {name.lower(): value for name, value in response.headers.items()}
        kind = media_type(headers)
        if response.status_code == 200 and accepts is not None and kind and kind not in accepts:
            raise Refusal("content_type", f"Inhalt vom Typ „{kind}“ wird hier nicht gelesen.")
        wanted = response.status_code == 200
        body = self._body(response, headers, max_bytes) if wanted else b""
        return Answer(url=url, status=response.status_code, headers=headers, body=body, fetched_at=self.now())

    def _body(self, response: requests.Response, headers: Mapping[str, str], max_bytes: int) -> bytes:
        declared = headers.get("content-length", "")
        expected = int(declared) if declared.isdigit() and "transfer-encoding" not in headers else None
        if expected is not None and expected > max_bytes:
            raise too_big(max_bytes)
        inflate = Inflater(headers.get("content-encoding", ""), max_bytes=max_bytes, ratio=self.limits.inflation)
        received = 0
        while chunk := response.raw.read1(CHUNK_BYTES, decode_content=False):
            received += len(chunk)
            inflate.feed(chunk)
        if self.adapter.running.watchdog is not None and self.adapter.running.watchdog.fired:
            raise too_slow(self.limits.total_s)
        if expected is not None and received != expected:
            raise Refusal("truncated", f"Die Antwort brach ab: {received} von {expected} angekündigten Bytes.")
        return inflate.finish()


class _NoCookies(DefaultCookiePolicy):
    """The crawler is nobody's visitor: it keeps no cookies."""

    def set_ok(self, cookie: Any, request: Any) -> bool:
        return False


def too_slow(seconds: float) -> Refusal:
    """The refusal of an answer that took longer than allowed."""
    return Refusal("timeout", f"Die Antwort dauerte länger als {seconds:g} Sekunden.")


def _refusal(error: Exception) -> Refusal:
    if isinstance(error, (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError)):
        return Refusal("timeout", "Der Server antwortet nicht rechtzeitig.")
    if isinstance(error, requests.exceptions.SSLError):
        return Refusal("tls", "Das Zertifikat des Servers ist ungültig.")
    if isinstance(error, urllib3.exceptions.ProtocolError):
        return Refusal("truncated", "Die Antwort brach ab.")
    return Refusal("unreachable", f"Der Server ist nicht erreichbar ({type(error).__name__}).")
