"""A mail server on 127.0.0.1 that keeps what it is given: with or without encryption, with a password if wanted.

with MailServer(tls=True) as server:
    ...
    (mail,) = server.mails
"""

import base64
import socketserver
import ssl
import textwrap
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

# Of a certificate that names 127.0.0.1 and is trusted by nobody but these tests; valid from 2020 to 2120.
_CERTIFICATE = (
    "MIIBlzCCAT6gAwIBAgIBATAKBggqhkjOPQQDAjAUMRIwEAYDVQQDDAlsb2NhbGhvc3QwIBcNMjAwMTAxMDAwMDAwWhgPMjEyMDAx"
    "MDEwMDAwMDBaMBQxEjAQBgNVBAMMCWxvY2FsaG9zdDBZMBMGByqGSM49AgEGCCqGSM49AwEHA0IABNeJfjEDeVzmWUZ3xoduPFjR"
    "vm3vp7C5PrwA3IcUFzuhZwAGRipofajEGLu5qVPMVteDliy37he2XaHPyMw9AJijfzB9MBoGA1UdEQQTMBGCCWxvY2FsaG9zdIcE"
    "fwAAATAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIChDAdBgNVHQ4EFgQUxXwhiXUdt8+Cx+z1V8TKPKCJMfgwHwYDVR0j"
    "BBgwFoAUxXwhiXUdt8+Cx+z1V8TKPKCJMfgwCgYIKoZIzj0EAwIDRwAwRAIgOOJF8XW+6OkqNGX75RosG1zcB4OtZih02PQ4lEYk"
    "QlgCIALtTvQNOM3qpyI9hanvkLFCMavO/6p9KkVpjvUneoxJ"
)
_KEY = (
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg4hERmJI1iyEsLw6WO0WFnFzSBAk6FVf6LFg7YuKTAl2hRANCAATX"
    "iX4xA3lc5llGd8aHbjxY0b5t76ewuT68ANyHFBc7oWcABkYqaH2oxBi7ualTzFbXg5Yst+4Xtl2hz8jMPQCY"
)


@dataclass(frozen=True, slots=True)
class Mail:
    """One mail as it was handed over."""

    sender: str
    recipients: tuple[str, ...]
    message: EmailMessage
    encrypted: bool
    user: str | None


def write_certificate(folder: Path) -> Path:
    """The certificate as a file that clients can be told to trust (SSL_CERT_FILE)."""
    path = folder / "mail.pem"
    path.write_text(_pem("CERTIFICATE", _CERTIFICATE), "ascii")
    return path


class MailServer:
    """A server in a thread; `refuse` names recipients that it does not take."""

    def __init__(
        self, folder: Path, *, tls: bool = False, user: str = "", password: str = "", refuse: str = ""
    ) -> None:
        self.mails: list[Mail] = []
        self.user, self.password, self.refuse = user, password, refuse
        self.context: ssl.SSLContext | None = None
        if tls:
            files = write_certificate(folder), folder / "mail.key"
            files[1].write_text(_pem("PRIVATE KEY", _KEY), "ascii")
            self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            self.context.load_cert_chain(*files)
        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), _Session)
        self._server.daemon_threads = True
        self._server.kept = self  # type: ignore[attr-defined]
        self.port = int(self._server.server_address[1])
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def __enter__(self) -> "MailServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Session(socketserver.BaseRequestHandler):
    """The few commands of RFC 5321, 3207 and 4954 that a client needs to hand over a mail."""

    def handle(self) -> None:
        self.kept: MailServer = self.server.kept  # type: ignore[attr-defined]
        self.connection: Any = self.request
        self.encrypted, self.user = False, None
        self._reset()
        self._open()
        self._say("220 test")
        while line := self.stream.readline().decode("utf-8").strip():
            verb = line.split(" ")[0].upper()
            if verb == "QUIT":
                self._say("221 bye")
                return
            getattr(self, f"_{verb.lower()}", self._unknown)(line)

    def _open(self) -> None:
        self.stream = self.connection.makefile("rb")

    def _say(self, *lines: str) -> None:
        self.connection.sendall("".join(f"{line}\r\n" for line in lines).encode("ascii"))

    def _reset(self) -> None:
        self.sender, self.recipients = "", []

    def _unknown(self, _: str) -> None:
        self._say("502 not known")

    def _ehlo(self, _: str) -> None:
        told = ["250-test"]
        if self.kept.context and not self.encrypted:
            told.append("250-STARTTLS")
        if self.kept.user:
            told.append("250-AUTH PLAIN")
        self._say(*told, "250 8BITMIME")

    def _starttls(self, _: str) -> None:
        assert self.kept.context is not None
        self._say("220 go")
        try:
            self.connection = self.kept.context.wrap_socket(self.connection, server_side=True)
        except ssl.SSLError:  # the client does not trust the certificate, and is about to go
            return
        self.encrypted = True
        self._open()

    def _auth(self, line: str) -> None:
        _, user, password = base64.b64decode(line.split(" ")[2]).decode("utf-8").split("\0")
        good = (user, password) == (self.kept.user, self.kept.password)
        self.user = user if good else None
        self._say("235 welcome" if good else "535 no")

    def _mail(self, line: str) -> None:
        if self.kept.user and self.user is None:
            self._say("530 who are you")
            return
        self.sender = line.split("<")[1].split(">", maxsplit=1)[0]
        self._say("250 ok")

    def _rcpt(self, line: str) -> None:
        address = line.split("<")[1].split(">", maxsplit=1)[0]
        if address == self.kept.refuse:
            self._say("550 not here")
            return
        self.recipients.append(address)
        self._say("250 ok")

    def _rset(self, _: str) -> None:
        self._reset()
        self._say("250 ok")

    def _data(self, _: str) -> None:
        self._say("354 go on")
        lines = []
        while (line := self.stream.readline()) not in (b".\r\n", b""):
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = message_from_bytes(b"".join(lines), policy=policy.default)
        self.kept.mails.append(Mail(self.sender, tuple(self.recipients), message, self.encrypted, self.user))
        self._reset()
        self._say("250 kept")


def _pem(kind: str, content: str) -> str:
    body = "\n".join(textwrap.wrap(content, 64))
    return f"-----BEGIN {kind}-----\n{body}\n-----END {kind}-----\n"
