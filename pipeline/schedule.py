"""The line or file with which a computer's own scheduler starts the monthly refresh.

Below: nothing. Above: `checkup schedule`. The day and minute follow from the workspace's path, so that many
installations do not all ask the same servers at the same moment.
"""

import hashlib
import shlex
import subprocess
from pathlib import Path

from data.errors import UsageError

SYSTEMD = """\
# ~/.config/systemd/user/checkup-refresh.service
[Unit]
Description=Check-Up Integration: monatlicher Lauf

[Service]
Type=oneshot
ExecStart={command}

# ~/.config/systemd/user/checkup-refresh.timer
[Unit]
Description=Check-Up Integration: monatlicher Lauf

[Timer]
OnCalendar=*-*-{day:02d} 03:{minute:02d}:00
RandomizedDelaySec=1h
Persistent=true

[Install]
WantedBy=timers.target

# danach: systemctl --user daemon-reload && systemctl --user enable --now checkup-refresh.timer
"""


def schedule_text(system: str, *, workspace: Path, python: str) -> str:
    """What to enter for the scheduler of that name.

    Args:
        system: `cron`, `systemd` or `windows`.
        workspace: absolute path of the workspace to refresh.
        python: the interpreter that runs `checkup`.

    Raises:
        UsageError: for another system.
    """
    arguments = [python, "-m", "checkup", "--workspace", str(workspace), "refresh"]
    digest = hashlib.sha256(str(workspace).encode("utf-8", "surrogateescape")).digest()
    day, minute = 1 + digest[0] % 28, digest[1] % 60
    if system == "cron":
        # cron reads % as a line break
        return f"{minute} 3 {day} * * " + shlex.join(arguments).replace("%", r"\%")
    if system == "systemd":
        quoted = " ".join('"' + a.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"' for a in arguments)
        return SYSTEMD.format(command=quoted, day=day, minute=minute)
    if system == "windows":
        task = subprocess.list2cmdline(arguments).replace('"', '\\"')
        return f'schtasks /Create /TN "Check-Up Integration" /SC MONTHLY /D {day} /ST 03:{minute:02d} /TR "{task}"'
    raise UsageError(f"„{system}“ ist nicht bekannt. Möglich: cron, systemd, windows.")
