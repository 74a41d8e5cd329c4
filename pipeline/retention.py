"""How long the texts of crawled projects stay: a source's days after a project was last seen, and its share.

Below: `data.store_retention`, `embeddings`, `crawlers.source`. Above: `pipeline.refresh`, `pipeline.publish`.
§ 44b UrhG: copies for text mining go when they are no longer needed; § 87b: of somebody else's database
(`database: true`) the text of a share of the records only is kept. Statements, quotes, the vector and the link stay.
"""

import hashlib
import json
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from data.clock import as_utc
from data.errors import CheckupError
from data.purged import RETENTION, SHARE, vector_key
from data.store import Store
from data.store_erase import RULES, door_of
from data.store_retention import Crawled, Purge, crawled_texts, known_rules, purge, purged_documents
from data.store_sweep import drop_vectors, sweep
from data.system_errors import in_german
from embeddings.e5_file import Floats
from embeddings.encoders import text_sha256
from embeddings.published import WHOLE, current_name, index_folder
from pipeline.project_vectors import encoded_keys, whole_key, whole_text

if TYPE_CHECKING:
    from crawlers.source import SourceConfig


@dataclass(frozen=True, slots=True)
class Rule:
    """What a source's file says about its texts; the defaults are those of the file."""

    days: int = 90
    database: bool = False
    share_percent: float = 10.0


def rule_of(source: "SourceConfig") -> Rule:
    """The rule of a source."""
    return Rule(source.retention_days, source.database, source.share_cap_percent)


def within_share(project_id: str, share_percent: float) -> bool:
    """Whether a record belongs to the share whose text is kept: always the same ones, whatever comes or goes."""
    place = int.from_bytes(hashlib.sha256(project_id.encode("utf-8", "replace")).digest()[:8], "big")
    return place / 2**64 * 100 < share_percent


def due(projects: Iterable[Crawled], rules: Mapping[str, Rule], now: str) -> list[tuple[Crawled, str]]:
    """The projects whose text must go, with the reason.

    Args:
        projects: With text.
        rules: By source; where there is none, the defaults hold.
        now: ISO 8601 in UTC. A clock that was set back only makes texts stay longer.
    """
    found = []
    for project in projects:
        rule = rules.get(project.source, Rule())
        age = datetime.fromisoformat(now) - datetime.fromisoformat(project.last_seen)
        if age > timedelta(days=rule.days):
            found.append((project, RETENTION))
        elif rule.database and not within_share(project.id, rule.share_percent):
            found.append((project, SHARE))
    return found


def retain(store: Store, sources: Sequence["SourceConfig"], now: str) -> int:
    """Purge what is due of every source; returns how many projects lost their text.

    Args:
        store: held for writing; its crawled texts are extracted and embedded.
        sources: those of the run; their rules are kept for later runs without them.
        now: ISO 8601 in UTC.
    """
    door = door_of(store)
    for source in sources:
        if door.is_erased(source=source.name):
            continue
        rule = rule_of(source)
        value = {"days": rule.days, "database": rule.database, "share_percent": rule.share_percent}
        store.set_meta(RULES + source.name, json.dumps(value))
    rules = {name: Rule(**value) for name, value in known_rules(store, RULES).items()}
    items = [
        Purge(
            project=project,
            because=because,
            vector_sha256=whole_key(project.title, project.text),
            empty_sha256=text_sha256("passage", whole_text(project.title, "")),
        )
        for project, because in due(crawled_texts(store), rules, now)
    ]
    done = purge(store, items, now)
    if done:
        forget_pages(store, [item.project.url for item in items])
    return done


def leave_no_trace(store: Store) -> None:
    """Removes what still holds a text that is no longer current: old generations, free pages, unused vectors."""
    drop_old_generations(index_folder(store.settings.workspace))
    drop_vectors(store, wanted_vectors(store))
    sweep(store)


def drop_old_generations(folder: Path) -> None:
    """Deletes every published generation but the current one, and what killed writers left.

    Raises:
        CheckupError: A folder is held open (Windows); nothing else is lost.
    """
    current = current_name(folder)
    for path in folder.iterdir() if folder.is_dir() else []:
        if path.name.startswith(("g-", "part-")) and path.name != current:
            _delete(path)


def drop_expired_archives(store: Store, now: str) -> int:
    """Deletes the archives that are older than their source's texts may be; returns how many went.

    Raises:
        CheckupError: A file is held open (Windows).
    """
    from crawlers.archive import expired

    paths = expired(store.settings.workspace, _days_of(store), now)
    for path in paths:
        _delete(path)
    return len(paths)


def drop_expired_lines(store: Store, now: str) -> None:
    """Takes out of the log of requests what is older than the archives of its source may be.

    Args:
        store: held for writing.
        now: ISO 8601 in UTC.

    Raises:
        CheckupError: A file is held open (Windows).
    """
    from crawlers.forget import drop_lines

    days_of = _days_of(store)

    @cache
    def oldest(source: str) -> str:
        return as_utc((datetime.fromisoformat(now) - timedelta(days=days_of(source))).isoformat())

    drop_lines(store.settings.workspace, lambda line, raw: line.at < oldest(line.source))


def _days_of(store: Store) -> Callable[[str], int]:
    """How many days the texts of a source may be kept."""
    rules = known_rules(store, RULES)
    return lambda source: int(rules.get(source, {"days": Rule().days})["days"])


def _delete(path: Path) -> None:
    try:
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except OSError as error:
        raise CheckupError(
            f"{path} lässt sich nicht löschen ({in_german(error)}). Bitte andere Fenster des Programms "
            "schließen und den Befehl wiederholen."
        ) from error


def wanted_vectors(store: Store) -> set[str]:
    """The cache keys of everything that a publication of the present state asks for.

    A purged text's vector can never be computed again: it is kept, also while another project speaks for its own.
    """
    from pipeline.publish import card_json, reference_texts

    cards = [card_json(card) for card in store.iter_cards()]
    needs, approaches = reference_texts()
    keys = encoded_keys(cards) | {whole_key(card["title"], card["text"]) for card in cards}
    keys |= {text_sha256("passage", text) for text in approaches}
    keys |= {text_sha256("query", text) for text in needs}
    return keys | set(map(vector_key, purged_documents(store)))


def forget_pages(store: Store, urls: Iterable[str | None]) -> None:
    """Takes pages out of the memory of crawls, so that a project that comes back is read anew."""
    from crawlers.forget import forget

    wanted = {url.split("#", 1)[0] for url in urls if url}
    forget(store.settings.workspace / "crawl", lambda url: url.split("#", 1)[0] in wanted, links=False)


def recall(
    store: Store, fingerprint: str, cards: Sequence[Mapping[str, Any]], rows: "np.ndarray[Any, Any]", vectors: Floats
) -> None:
    """Gives projects without a text the vector that their text had; changes `vectors` in place.

    Args:
        store: where the vectors are kept.
        fingerprint: of the encoder.
        cards: as published.
        rows: int32[n, 3] beside `vectors`.
        vectors: float32[n, d].
    """
    empty = {number: vector_key(card["document_id"]) for number, card in enumerate(cards) if not card["text"]}
    kept = store.get_vectors(fingerprint, empty.values())
    for place, (number, start, _) in enumerate(rows.tolist()):
        if start == WHOLE and empty.get(number) in kept:
            vectors[place] = np.frombuffer(kept[empty[number]], "<f4")
