"""The report after a refresh: gathered, compared with saved situations, written, mailed, and noted as told.

Below: `pipeline.digest`, `pipeline.mail`, `checkup.situations`. Above: `checkup.commands.schedule`, `refresh`.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data.clock import utc_now
from data.errors import CheckupError

if TYPE_CHECKING:
    from data.settings import Settings
    from data.store import Store

REPORTS = "reports"


@dataclass(slots=True)
class Reported:
    """Where a report lies and whom it was mailed to; `failed` says what did not work, as sentences."""

    text: Path | None = None
    html: Path | None = None
    subject: str | None = None
    mailed: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)

    def to_json(self) -> dict[str, Any] | None:
        """For `--json`; None where nothing was written."""
        if self.text is None or self.html is None:
            return None
        return {"text": str(self.text), "html": str(self.html), "subject": self.subject, "mailed": self.mailed}


def report_on(
    settings: "Settings", store: "Store", run_id: str | None = None, *, failures: Iterable[str] = ()
) -> Reported:
    """Report on every run that was not reported yet; nothing is written where there is none.

    What fails on the way (comparison, file, mail) is named in the answer and stops nothing else. Runs count as
    reported, and matches as told, once the files are written.
    """
    from checkup.situations import compare
    from data.store_situations import note_best
    from pipeline.digest import as_html, as_text, build, note_told, runs_to_report, write
    from pipeline.mail import send

    done = Reported()
    runs = runs_to_report(store, run_id)
    if not runs:
        return done
    better, told, done.failed = compare(settings, store)
    digest = build(store, runs, now=utc_now(), situations=better, failures=[*failures, *done.failed])
    done.subject = digest.subject
    try:
        done.text, done.html = write(digest, settings.workspace / REPORTS)
        note_told(store, runs)
        note_best(store, told)
        done.mailed = send(settings, subject=digest.subject, text=as_text(digest), html=as_html(digest))
    except CheckupError as error:
        done.failed.append(error.message)
    return done
