"""Every Python that a test starts is kept from reaching another machine, before the first packet."""

import multiprocessing
import os
import re
import socket
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

from support.children import OFFLINE, ROOT, children_environment
from support.cli import PATIENCE_S
from support.site import Site, html

AWAY = "192.0.2.1"
"""No machine has this address (RFC 5737)."""
TRIES = {
    "connect": "s = socket.socket(); s.connect((AWAY, 9))",
    "connect_ex": "s = socket.socket(); s.setblocking(False); s.connect_ex((AWAY, 9))",
    "IPv6": "s = socket.socket(socket.AF_INET6); s.connect(('2001:db8::1', 9))",
    "mapped": "s = socket.socket(socket.AF_INET6); s.connect(('::ffff:' + AWAY, 9))",
    "datagram": "s = socket.socket(type=socket.SOCK_DGRAM); s.sendto(b'x', (AWAY, 9))",
    "datagram in parts": "s = socket.socket(type=socket.SOCK_DGRAM); s.sendmsg([b'x'], [], 0, (AWAY, 9))",
    "asyncio": "s = socket.socket(); import asyncio; asyncio.run(asyncio.open_connection(AWAY, 9))",
    "requests": "s = socket.socket(); import requests; requests.get('http://' + AWAY, timeout=2)",
    "a name": "s = socket.socket(); socket.create_connection(('example.org', 80))",
    "an old name": "s = socket.socket(); socket.gethostbyname('example.org')",
    "a name like ours": "s = socket.socket(); socket.getaddrinfo('127.0.0.1.example.org', 80)",
}
CODE = """
import socket
AWAY = {away!r}
for name, attempt in {tries!r}.items():
    try:
        exec(attempt)
    except BaseException as error:
        while error is not None and type(error).__name__ != "LeavesThisMachineError":
            error = error.__cause__ or error.__context__
        assert error is not None, name
    else:
        raise SystemExit(name + " was not refused")
    # The system was never asked to connect: it has given the socket no address.
    assert s.getsockname()[:2] in (("0.0.0.0", 0), ("::", 0)), (name, s.getsockname())
print("refused")
"""


def python(code: str, **options: Any) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False, **options)


def test_a_child_cannot_reach_another_machine() -> None:
    done = python(CODE.format(away=AWAY, tries=TRIES))
    assert (done.returncode, done.stdout) == (0, "refused\n"), done.stderr


CHILD_OF_A_CHILD = """
import subprocess, sys
done = subprocess.run([sys.executable, "-c", {code!r}], capture_output=True, text=True)
print(done.stdout + done.stderr, end="")
"""


def test_nor_can_a_child_of_a_child(tmp_path: Path) -> None:
    code = CODE.format(away=AWAY, tries={"connect": TRIES["connect"]})
    done = python(CHILD_OF_A_CHILD.format(code=code), env=children_environment(), cwd=str(tmp_path))
    assert done.stdout == "refused\n"


def attempt() -> str:
    with closing(socket.socket()) as one:
        try:
            one.connect((AWAY, 9))
        except RuntimeError as error:
            return type(error).__name__
    return "not refused"


def test_nor_can_a_worker_that_is_spawned() -> None:
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(attempt) == "LeavesThisMachineError"


def test_this_machine_is_reached() -> None:
    with Site({"/": html("<p>da</p>")}) as site:
        code = f"import requests; print(requests.get('{site.url()}').status_code); "
        code += (
            f"import socket; socket.create_connection(('localhost', {site.port})); socket.getaddrinfo('192.0.2.1', 1)"
        )
        done = python(code)
    assert (done.returncode, done.stdout) == (0, "200\n"), done.stderr


def test_no_test_gives_its_children_another_path() -> None:
    assert os.environ["PYTHONPATH"].split(os.pathsep)[0] == str(OFFLINE)
    own = {ROOT / "tests" / "conftest.py", ROOT / "tests" / "support" / "children.py", Path(__file__)}
    told = re.compile(r"PYTHON" + r"PATH[\"']\s*[:\]]|sys\.executable, [\"']-[IES]+[\"']")
    files = [path for path in (ROOT / "tests").rglob("*.py") if path not in own]
    assert [path.name for path in files if told.search(path.read_text("utf-8"))] == []
