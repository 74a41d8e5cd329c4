"""What a consultant wants to know after a refresh, on one page in plain German: gathered, and written as text and HTML.

Below: `data.store_events`, `data.store_digest`, `pipeline.history`, `pipeline.remarks`, `pipeline.review_rows`,
`pipeline.staging`.
Above: `checkup.reporting`, which adds the saved situations (matching lies above this package) and mails it.
A digest covers every run since the last one that was reported, so that none is lost when a computer is switched off
between a refresh and its report.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from html import escape
from pathlib import Path
from typing import Any

from crawlers.outcome import counted
from data.clock import as_utc
from data.errors import CheckupError
from data.impact import HIGH, TIER_TITLES
from data.records import Run
from data.store import Store
from data.store_digest import Entry, last_reported, note_reported, tiers_of, unconfirmed
from data.store_events import Event, events_of
from data.store_review import reviews_of, titles_of
from data.system_errors import in_german
from pipeline.history import funding_ends
from pipeline.remarks import Remarks, sentence
from pipeline.review_rows import QUESTIONS
from pipeline.staging import attempt_of, held_sources

UNCONFIRMED_AFTER = timedelta(days=365)
MOST_ITEMS = 30
MOST_REASONS = 5
MOST_QUOTE = 240
FIELDS = {
    "title": "Titel", "organisation": "Träger", "municipality": "Ort", "state": "Land", "start_year": "Beginn",
    "end_year": "Ende", "url": "Adresse",
}  # fmt: skip
_STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1d2733; max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.4rem; } h2 { font-size: 1.1rem; margin: 1.5rem 0 .25rem; } li { margin: .4rem 0; }
p { margin: .15rem 0; } .none, .more { color: #5b6775; } a { color: #174ea6; overflow-wrap: anywhere; }
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One thing to know."""

    title: str
    url: str | None = None
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Things of one kind; `items` holds at most MOST_ITEMS of `total`."""

    id: str
    title: str
    items: tuple[Item, ...]
    total: int
    where: str
    """Where the others are found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Digest:
    """A report: which runs it is about and what it says."""

    at: str
    runs: tuple[str, ...]
    sections: tuple[Section, ...]

    @property
    def subject(self) -> str:
        """One line that says whether it is worth opening."""
        counts = {section.id: section.total for section in self.sections}
        words = (
            ("high_impact", "neu mit hoher Wirkung"), ("situations", "Lagen mit besseren Treffern"),
            ("changed", "geändert"), ("gone", "nicht mehr gefunden"), ("failed", "gescheitert"),
        )  # fmt: skip
        told = ", ".join(f"{counts[name]} {word}" for name, word in words if counts.get(name))
        return f"Check-Up Integration, {_day(self.at)}: {told or 'nichts Neues'}"


def runs_to_report(store: Store, run_id: str | None = None) -> list[Run]:
    """The ended runs that no digest was written about, oldest first; none where no refresh is among them.

    Before the first digest these are the first refresh and what came after it.

    Args:
        store: The store.
        run_id: A run that belongs to them in any case: where the clock was set back, it stands before reported ones.
    """
    ended = [run for run in store.runs() if run.status != "running"]
    names = [run.id for run in ended]
    refreshes = [place for place, run in enumerate(ended) if run.kind == "refresh"]
    last = last_reported(store)
    begin = names.index(last) + 1 if last in names else (refreshes[0] if refreshes else len(ended))
    fresh = ended[begin:] if refreshes and refreshes[-1] >= begin else []
    return [run for run in ended[:begin] if run.id == run_id] + fresh


def note_told(store: Store, runs: Sequence[Run]) -> None:
    """Notes that a digest was written about these runs."""
    names = [run.id for run in store.runs()]
    told = [run.id for run in runs] + [one for one in [last_reported(store)] if one in names]
    note_reported(store, max(told, key=names.index))


def build(
    store: Store,
    runs: Sequence[Run],
    *,
    now: str,
    situations: Sequence[Item] = (),
    failures: Iterable[str] = (),
) -> Digest:
    """The digest of some runs.

    Args:
        store: The store.
        runs: From `runs_to_report`.
        now: The present; ISO 8601 in UTC.
        situations: Saved situations with better matches than before.
        failures: What failed beside the sources that were crawled, as sentences.
    """
    events = events_of(store, run_ids=[run.id for run in runs])
    by_kind: dict[str, list[Event]] = {}
    for event in events:
        by_kind.setdefault(event.kind, []).append(event)
    titles = titles_of(store)
    fresh = by_kind.get("new", [])
    tiers = tiers_of(store, [event.project_id for event in fresh if event.project_id])
    high = [(tiers[event.project_id], _event_item(event, titles)) for event in fresh if _is_high(event, tiers)]
    high += _risen(store, by_kind.get("label_changed", []), titles)
    others = [_event_item(event, titles) for event in fresh if not _is_high(event, tiers)]
    today = date.fromisoformat(now[:10])
    all_of_it = "checkup diff --last"
    sections = [
        _section("high_impact", "Neu und mit hoher Wirkung", _best_first(high), all_of_it),
        _section("situations", "Gespeicherte Lagen mit besseren Treffern", situations, "checkup situations show NAME"),
        _section("new", "Weitere neue Projekte", others, all_of_it),
        _section("changed", "Geändert", [_change(event, titles) for event in by_kind.get("changed", [])], all_of_it),
        _section("gone", "Nicht mehr gefunden", [_gone(event, titles) for event in by_kind.get("gone", [])], all_of_it),
        _section("back", "Wieder da", [_event_item(event, titles) for event in by_kind.get("back", [])], all_of_it),
        _section("failed", "Gescheiterte Quellen und Schranken", _failed(store, runs, failures), "checkup review list"),
        _section(
            "remarks", "Nicht lesbare Werte und Übergangenes", _remarks(store, runs), "checkup sources check NAME"
        ),
        _section("doubts", "Offene Fragen", _doubts(store, by_kind.get("drift", []), titles), "checkup review list"),
        _section(
            "ending", "Laufzeit endet in den nächsten sechs Monaten", _ending(store, today), "checkup diff --last"
        ),
        _section("unconfirmed", "Seit über zwölf Monaten nicht bestätigt", _unconfirmed(store, now), "checkup list"),
    ]
    return Digest(at=now, runs=tuple(run.id for run in runs), sections=tuple(sections))


def _section(name: str, title: str, items: Sequence[Item], where: str) -> Section:
    return Section(id=name, title=title, items=tuple(items[:MOST_ITEMS]), total=len(items), where=where)


# --- gathering -------------------------------------------------------------------------------------------------------


def _is_high(event: Event, tiers: Mapping[str | None, str]) -> bool:
    return tiers.get(event.project_id) in HIGH


def _risen(store: Store, relabelled: Sequence[Event], titles: Mapping[str, str | None]) -> list[tuple[str, Item]]:
    """Known projects that have reached tier high or proven, with their tier."""
    found = []
    for event in relabelled:
        before, now = event.detail.get("labels", {}).get("tier", (None, None))
        if now in HIGH and before not in HIGH:
            project = store.get_project(event.project_id or "")
            lines = (f"bisher: {TIER_TITLES.get(str(before), 'ohne Angabe')}",)
            item = Item(title=_title(event, titles), url=project.url if project else None, lines=lines)
            found.append((str(now), item))
    return found


def _best_first(found: Sequence[tuple[str, Item]]) -> list[Item]:
    ordered = sorted(found, key=lambda pair: -HIGH.index(pair[0]))
    return [
        Item(title=item.title, url=item.url, lines=(f"{TIER_TITLES[tier]} (laut Quelle)", *item.lines))
        for tier, item in ordered
    ]


def _event_item(event: Event, titles: Mapping[str, str | None]) -> Item:
    return Item(title=_title(event, titles), url=event.detail.get("url"))


def _title(event: Event, titles: Mapping[str, str | None]) -> str:
    return str(event.detail.get("title") or titles.get(event.project_id or "") or event.project_id)


def _change(event: Event, titles: Mapping[str, str | None]) -> Item:
    """What is written there now, and what was before."""
    lines = []
    for name, (before, now) in event.detail.get("fields", {}).items():
        lines.append(f"{FIELDS.get(name, name)} jetzt „{_value(now)}“, bisher „{_value(before)}“")
    for passage in event.detail.get("passages", ()):
        if passage["new"] and passage["old"]:
            lines.append(f"Jetzt: „{passage['new']}“ Bisher: „{passage['old']}“")
        elif passage["new"]:
            lines.append(f"Neu: „{passage['new']}“")
        else:
            lines.append(f"Entfallen: „{passage['old']}“")
    return Item(title=_title(event, titles), url=event.detail.get("url"), lines=tuple(lines))


def _value(value: Any) -> str:
    return "ohne Angabe" if value is None else str(value)


def _gone(event: Event, titles: Mapping[str, str | None]) -> Item:
    seen = event.detail.get("last_seen")
    lines = (f"zuletzt gesehen am {_day(seen)}; der Eintrag bleibt erhalten",) if seen else ()
    return Item(title=_title(event, titles), url=event.detail.get("url"), lines=lines)


def _failed(store: Store, runs: Sequence[Run], failures: Iterable[str]) -> list[Item]:
    """Runs that broke off, sources a gate holds (also since earlier), pages that gave nothing.

    An interrupted run that a later one of its kind has finished is no failure.
    """
    items = [Item(title=sentence) for sentence in failures]
    for place, run in enumerate(runs):
        finished = any(later.kind == run.kind and later.status == "done" for later in runs[place:])
        if run.status == "failed" or (run.status == "interrupted" and not finished):
            error = str(run.summary.get("error", "")).strip()
            word = "gescheitert" if run.status == "failed" else "unterbrochen"
            items.append(Item(title=f"Lauf vom {_day(run.started_at)} {word}", lines=(error,) if error else ()))
    held = held_sources(store)
    for name, attempt in sorted(held.items()):
        good = f"Es gilt weiter der Stand vom {_day(attempt.good_at)}." if attempt.good_at else "Noch kein guter Stand."
        reasons = [str(finding["reason"]) for finding in attempt.findings]
        items.append(Item(title=f"{name}: zurückgehalten", lines=(*reasons, good)))
    for name in sorted(_crawled(runs) - held.keys()):
        attempt_now = attempt_of(store, name)
        failed = attempt_now.failed if attempt_now is not None else []
        if failed:
            lines = [f"{url}: {reason}" for url, _, reason in failed[:MOST_REASONS]]
            lines += [f"… und {len(failed) - MOST_REASONS} weitere"] if len(failed) > MOST_REASONS else []
            items.append(Item(title=f"{name}: {len(failed)} Seiten oder Zeilen ohne Ergebnis", lines=tuple(lines)))
    return items


def _crawled(runs: Sequence[Run]) -> set[str]:
    """The sources that these runs asked."""
    return {str(name) for run in runs for name in run.summary.get("sources", ())}


def _remarks(store: Store, runs: Sequence[Run]) -> list[Item]:
    """Of each source values that could not be read, and why pages or rows gave no record."""
    items = []
    for name in sorted(_crawled(runs)):
        attempt = attempt_of(store, name)
        remarks = Remarks(**attempt.remarks) if attempt is not None else Remarks()
        if not remarks:
            continue
        failed = remarks.passed_over < sum(remarks.reasons.values())
        lines = [f"ohne Datensatz insgesamt: {counted(remarks.reasons)}"] if failed else []
        for url, row, reason in remarks.notes:
            lines.append(f"{url}{'' if row is None else f', Zeile {row}'}: {reason}")
        more = remarks.note_count - len(remarks.notes)
        lines += [f"… und {more} weitere Werte"] if more else []
        items.append(Item(title=sentence(name, remarks), lines=tuple(lines)))
    return items


def _doubts(store: Store, drift: Sequence[Event], titles: Mapping[str, str | None]) -> list[Item]:
    """Open questions (held sources stand elsewhere), and labels that the extractor gives more or less often."""
    items = []
    for event in drift:
        moved = event.detail
        shares = f"{moved['now']:.0%} von {moved['texts']} neu gelesenen Texten, bisher {moved['before']:.0%}"
        items.append(Item(title=f"Verschiebung bei „{moved['label']}“", lines=(shares,)))
    for question in reviews_of(store):
        ids = [one for one in (question.project_id, question.other_id) if one is not None]
        asked = f"Frage {question.id}: {QUESTIONS.get(question.kind, question.kind)}"
        told = tuple(str(side["quote"]) for side in question.detail.get("sides", ()) if side.get("quote"))
        quotes = tuple(f"„{_short(quote)}“" for quote in told)
        items.append(Item(title=" / ".join(titles.get(one) or one for one in ids), lines=(asked, *quotes)))
    return items


def _short(quote: str) -> str:
    line = " ".join(quote.split())
    return line if len(line) <= MOST_QUOTE else line[:MOST_QUOTE].rsplit(" ", 1)[0] + " …"


def _ending(store: Store, today: date) -> list[Item]:
    return [
        Item(title=row["title"] or row["project_id"], url=row["url"], lines=(f"endet am {_day(row['ends'])}",))
        for row in funding_ends(store, today=today)
    ]


def _unconfirmed(store: Store, now: str) -> list[Item]:
    before = as_utc((datetime.fromisoformat(now) - UNCONFIRMED_AFTER).isoformat())
    return [_entry(entry) for entry in unconfirmed(store, before)]


def _entry(entry: Entry) -> Item:
    line = f"zuletzt bestätigt am {_day(entry.last_seen)} ({entry.source})"
    return Item(title=entry.title or entry.id, url=entry.url, lines=(line,))


def _day(moment: str | None) -> str:
    return date.fromisoformat(str(moment)[:10]).strftime("%d.%m.%Y")


# --- writing ---------------------------------------------------------------------------------------------------------


def as_text(digest: Digest) -> str:
    """The digest as plain text; sections that say nothing are named in one line at the end."""
    lines = [digest.subject, ""]
    for section in digest.sections:
        if not section.total:
            continue
        lines += [f"{section.title} ({section.total})", "-" * (len(section.title) + len(str(section.total)) + 3)]
        for item in section.items:
            lines.append(f"* {item.title}")
            lines += [f"  {line}" for line in item.lines]
            lines += [f"  {item.url}"] if item.url else []
        lines += [_more(section), ""] if _more(section) else [""]
    return "\n".join([*lines, _nothing(digest), ""])


def as_html(digest: Digest) -> str:
    """The digest as a page of its own: no script, nothing from outside; only web addresses become links."""
    parts = []
    for section in digest.sections:
        if section.total:
            more = f'<p class="more">{escape(_more(section))}</p>' if _more(section) else ""
            items = "".join(map(_html_item, section.items))
            parts.append(f"<h2>{escape(section.title)} ({section.total})</h2><ul>{items}</ul>{more}")
    return (
        f'<!doctype html>\n<html lang="de"><head><meta charset="utf-8"><title>{escape(digest.subject)}</title>'
        f"<style>{_STYLE}</style></head><body><h1>{escape(digest.subject)}</h1>"
        f'{"".join(parts)}<p class="none">{escape(_nothing(digest))}</p></body></html>\n'
    )


def _html_item(item: Item) -> str:
    lines = "".join(f"<p>{escape(line)}</p>" for line in item.lines)
    title = escape(item.title)
    if item.url and item.url.startswith(("http://", "https://")):
        title = f'<a href="{escape(item.url)}">{title}</a>'
    return f"<li>{title}{lines}</li>"


def _more(section: Section) -> str:
    rest = section.total - len(section.items)
    return f"… und {rest} weitere („{section.where}“)." if rest else ""


def _nothing(digest: Digest) -> str:
    empty = [section.title for section in digest.sections if not section.total]
    return f"Nichts zu melden bei: {'; '.join(empty)}." if empty else ""


def write(digest: Digest, folder: Path) -> tuple[Path, Path]:
    """Writes both forms, each appearing as a whole; returns their paths. The same runs give the same names.

    Raises:
        CheckupError: The folder cannot be written.
    """
    name = f"bericht-{digest.runs[-1]}"
    written = []
    for suffix, content in ((".txt", as_text(digest)), (".html", as_html(digest))):
        path = folder / f"{name}{suffix}"
        part = path.with_suffix(f"{suffix}.part")
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part.write_text(content, "utf-8", newline="\n")
            os.replace(part, path)
        except OSError as error:
            raise CheckupError(f"Der Bericht {path} lässt sich nicht schreiben: {in_german(error)}.") from error
        written.append(path)
    return written[0], written[1]
