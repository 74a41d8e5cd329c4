import re
import shlex
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data.errors import CheckupError, UsageError
from pipeline.schedule import Tools, install, is_installed, plan, remove, with_block, without_block

WORKSPACE = Path("/srv/check up")
FAKE = """\
import pathlib, sys
table = pathlib.Path({table!r})
log = pathlib.Path({log!r})
with log.open("a", encoding="utf-8") as file:
    file.write(" ".join(sys.argv[1:]) + chr(10))
if {fails!r}:
    sys.stderr.write({fails!r})
    raise SystemExit(1)
if sys.argv[1] == "-l":
    if not table.exists():
        sys.stderr.write("no crontab for tester")
        raise SystemExit(1)
    sys.stdout.buffer.write(table.read_bytes())
elif sys.argv[1] == "-":
    table.write_bytes(sys.stdin.buffer.read())
"""


class Computer:
    """Stand-ins for `crontab` and `systemctl`, which write to a folder of the test."""

    def __init__(self, folder: Path) -> None:
        self.table, self.log, self.units = folder / "table", folder / "log", folder / "units" / "user"
        self.folder = folder
        self.tools = self.with_tools("")

    def with_tools(self, fails: str) -> Tools:
        script = self.folder / f"tool{len(fails)}.py"
        script.write_text(FAKE.format(table=str(self.table), log=str(self.log), fails=fails), "utf-8")
        command = f"{sys.executable} {script}"
        return Tools(folder=self.units, crontab=command, systemctl=command)

    def said(self) -> list[str]:
        return self.log.read_text("utf-8").splitlines() if self.log.exists() else []


@pytest.fixture
def computer(tmp_path: Path) -> Computer:
    return Computer(tmp_path)


def wanted(system: str, workspace: Path = WORKSPACE):
    return plan(system, workspace=workspace, python="/usr/bin/python3")


@pytest.mark.parametrize("system", ["cron", "systemd", "windows"])
def test_every_plan_names_the_workspace_and_what_is_run(system: str):
    text = wanted(system).text
    assert "check up" in text
    assert "schedule run-due --quiet" in text.replace('" "', " ")


def test_the_cron_line_means_the_command_and_no_bare_percent():
    line = plan("cron", workspace=Path("/srv/100% $x"), python="python3").lines.splitlines()[1]
    minute, hours, rest = re.fullmatch(r"(\d+) ([\d,]+) \* \* \* (.*)", line).groups()  # type: ignore[union-attr]
    assert 0 <= int(minute) < 60
    assert [int(hour) for hour in hours.split(",")] == [int(hours.split(",")[0]) + step for step in (0, 6, 12, 18)]
    assert max(int(hour) for hour in hours.split(",")) < 24
    assert "%" not in rest.replace(r"\%", "")
    words = shlex.split(rest.replace(r"\%", "%"))
    assert words[:5] == ["python3", "-m", "checkup", "--workspace", str(Path("/srv/100% $x"))]


def test_installations_start_at_different_moments():
    starts = {wanted("cron", Path(f"/srv/{name}")).lines.splitlines()[1].split(" *")[0] for name in "abcdefgh"}
    assert len(starts) > 4


def test_another_system_and_a_path_with_a_line_break_are_refused():
    with pytest.raises(UsageError, match="cron, systemd, windows"):
        wanted("launchd")
    with pytest.raises(UsageError, match="Steuerzeichen"):
        wanted("cron", Path("/srv/a\n* * * * * rm"))


def test_windows_is_entered_by_a_person(computer: Computer):
    assert "schtasks /Create" in wanted("windows").text
    for change in (install, remove):
        with pytest.raises(CheckupError, match="kopieren"):
            change(wanted("windows"), computer.tools)
    assert computer.said() == []


# --- cron ---


def test_cron_is_written_once_and_taken_back_exactly(computer: Computer):
    own = b"MAILTO=x@example.org\n5 4 * * * /bin/backup\xff %\n"
    computer.table.write_bytes(own)
    assert not is_installed(wanted("cron"), computer.tools)
    assert install(wanted("cron"), computer.tools) == ["crontab"]
    once = computer.table.read_bytes()
    assert once == own + wanted("cron").lines.encode()
    assert install(wanted("cron"), computer.tools) == []
    assert computer.table.read_bytes() == once
    assert is_installed(wanted("cron"), computer.tools)
    assert install(wanted("cron", Path("/srv/other")), computer.tools) == ["crontab"]
    assert remove(wanted("cron"), computer.tools) == ["crontab"]
    assert computer.table.read_bytes() == own + wanted("cron", Path("/srv/other")).lines.encode()
    remove(wanted("cron", Path("/srv/other")), computer.tools)
    assert computer.table.read_bytes() == own
    assert remove(wanted("cron"), computer.tools) == []


def test_cron_begins_where_a_person_has_no_table(computer: Computer):
    install(wanted("cron"), computer.tools)
    assert computer.table.read_text("utf-8") == wanted("cron").lines


def test_an_earlier_form_is_replaced_in_its_place(computer: Computer):
    install(wanted("cron"), computer.tools)
    computer.table.write_text("a\n" + computer.table.read_text("utf-8").replace("* * *", "1 * *") + "b\n", "utf-8")
    assert install(wanted("cron"), computer.tools) == ["crontab"]
    assert computer.table.read_text("utf-8") == "a\n" + wanted("cron").lines + "b\n"


def test_a_table_that_cannot_be_read_or_lost_a_mark_is_never_written(computer: Computer):
    computer.table.write_text("x\n", "utf-8")
    with pytest.raises(CheckupError, match=r"permission denied.*Nichts wurde"):
        install(wanted("cron"), computer.with_tools("permission denied"))
    half = "".join(wanted("cron").lines.splitlines(keepends=True)[:2])
    computer.table.write_text(half, "utf-8")
    for change in (install, remove):
        with pytest.raises(CheckupError, match="nur eine der Zeilen"):
            change(wanted("cron"), computer.tools)
    assert computer.table.read_text("utf-8") == half


def test_a_missing_tool_names_the_other_way(computer: Computer):
    tools = Tools(folder=computer.units, crontab="gibt-es-nicht-crontab", systemctl="gibt-es-nicht-systemctl")
    with pytest.raises(CheckupError, match="--system systemd"):
        install(wanted("cron"), tools)
    with pytest.raises(CheckupError, match="--system cron"):
        install(wanted("systemd"), tools)
    assert list(computer.units.iterdir()) == []
    assert not is_installed(wanted("cron"), tools)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.sampled_from(["# x", "", "5 4 * * * a", "\u2028", "a\rb", wanted("cron", Path("/o")).lines.strip()]))
)
def test_taking_back_is_the_inverse_of_writing(lines: list[str]):
    table = "".join(f"{line}\n" for line in dict.fromkeys(lines))
    written = with_block(table, wanted("cron"))
    assert with_block(written, wanted("cron")) == written
    assert without_block(written, wanted("cron").name) == (table, True)
    assert without_block(table, wanted("cron").name) == (table, False)


# --- systemd ---


def test_units_are_written_once_and_taken_back_exactly(computer: Computer):
    timer = f"{wanted('systemd').name}.timer"
    assert not is_installed(wanted("systemd"), computer.tools)
    written = install(wanted("systemd"), computer.tools)
    assert sorted(Path(path).name for path in written) == sorted(wanted("systemd").files)
    assert computer.said() == ["--user daemon-reload", f"--user enable --now {timer}"]
    assert install(wanted("systemd"), computer.tools) == []
    assert is_installed(wanted("systemd"), computer.tools)
    own = computer.units / "eigenes.timer"
    own.write_text("[Timer]\n", "utf-8")
    install(wanted("systemd", Path("/srv/other")), computer.tools)
    assert sorted(remove(wanted("systemd"), computer.tools)) == sorted(written)
    assert f"--user disable --now {timer}" in computer.said()
    others = set(wanted("systemd", Path("/srv/other")).files)
    assert {path.name for path in computer.units.iterdir()} == {"eigenes.timer", *others}
    assert remove(wanted("systemd"), computer.tools) == []


def test_a_unit_that_a_person_changed_is_left_alone(computer: Computer):
    install(wanted("systemd"), computer.tools)
    path = computer.units / f"{wanted('systemd').name}.timer"
    path.write_text(path.read_text("utf-8").replace("30min", "2h"), "utf-8")
    changed = path.read_text("utf-8")
    for change in (install, remove):
        with pytest.raises(CheckupError, match=r"timer\.d"):
            change(wanted("systemd"), computer.tools)
    assert path.read_text("utf-8") == changed
    assert len(list(computer.units.iterdir())) == 2


def test_units_are_taken_back_where_systemd_refuses_them(computer: Computer):
    with pytest.raises(CheckupError, match="Failed to connect to bus"):
        install(wanted("systemd"), computer.with_tools("Failed to connect to bus"))
    assert list(computer.units.iterdir()) == []


def test_a_unit_quotes_what_systemd_would_expand():
    text = plan("systemd", workspace=Path('/srv/100% "$HOME"'), python="python3").text
    assert '100%% \\"$$HOME\\""' in text
    assert "Persistent=true" in text
