import re
from pathlib import Path

import pytest

from data.errors import UsageError
from pipeline.schedule import schedule_text


@pytest.mark.parametrize("system", ["cron", "systemd", "windows"])
def test_every_line_names_the_workspace_and_the_refresh(system):
    text = schedule_text(system, workspace=Path("/srv/check up"), python="/usr/bin/python3")
    assert "check up" in text
    assert "refresh" in text


def test_cron_has_five_times_and_no_bare_percent():
    line = schedule_text("cron", workspace=Path("/srv/100%"), python="python3")
    assert re.match(r"\d+ 3 \d+ \* \* python3 -m checkup", line)
    assert "%" not in line.replace(r"\%", "")


def test_the_day_exists_in_every_month_and_differs_between_installations():
    days = set()
    for name in "abcdefgh":
        line = schedule_text("cron", workspace=Path(f"/srv/{name}"), python="python3")
        minute, _, day = line.split()[:3]
        assert 0 <= int(minute) < 60
        assert 1 <= int(day) <= 28
        days.add((minute, day))
    assert len(days) > 4


def test_another_system_is_refused():
    with pytest.raises(UsageError, match="cron, systemd, windows"):
        schedule_text("launchd", workspace=Path("/srv"), python="python3")
