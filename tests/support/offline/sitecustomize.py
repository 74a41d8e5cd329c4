"""Read by every Python that a test starts, because its folder stands first in PYTHONPATH: none may leave this machine.

The hook sees a connection, a datagram or a name before the operating system does, so that no packet is sent. It cannot
be taken off again, and a child of the child inherits it by the same variable.
"""

import socket
import sys
from typing import Any

SENDING = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
NAMING = frozenset({"socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"})
HERE = frozenset({"", "localhost", "::1", "::", "0.0.0.0"})


class LeavesThisMachineError(RuntimeError):
    """A process that a test started tried to reach another machine."""


def _is_here(host: object) -> bool:
    text = host.decode("ascii", "replace") if isinstance(host, bytes | bytearray) else host
    if text is None or not isinstance(text, str):
        return text is None
    plain = text.lower().removeprefix("::ffff:")
    return plain in HERE or (plain.startswith("127.") and plain.replace(".", "").isdigit())


def _is_numeric(host: object) -> bool:
    for family in (socket.AF_INET, socket.AF_INET6):
        try:
            socket.inet_pton(family, str(host))
        except OSError:
            continue
        return True
    return False


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event in SENDING:
        address = arguments[1]
        if isinstance(address, tuple) and not _is_here(address[0]):
            raise LeavesThisMachineError(f"{event} {address}: only this machine may be reached in a test")
    elif event in NAMING and not (_is_here(arguments[0]) or _is_numeric(arguments[0])):
        raise LeavesThisMachineError(f"{event} {arguments[0]!r}: no name server may be asked in a test")


sys.addaudithook(_guard)
