"""Texts that were taken out again because their time or their share was over: how such a version is known.

Below: nothing. Above: `data.store_write` and `data.store_staging` (a page that comes again), `data.store_retention`.
A purged version has the empty text and an id derived from the one it had; its project says so in the key `purged`.
"""

import json
from collections.abc import Mapping
from typing import Any

from data.normalise import sha256_text

MARK = "purged"
RETENTION, SHARE = "retention", "share_cap"
"""Why a text was purged."""


def purged_id(document_id: str) -> str:
    """The id of a version whose text was purged."""
    return sha256_text(f"{MARK} {document_id}")[:32]


def vector_key(document_id: str) -> str:
    """Under which key the vector of a purged version's whole text is kept."""
    return f"{MARK}:{document_id}"


def same_as_before(row: Mapping[str, Any], known: Mapping[str, Any]) -> bool:
    """Whether a record that comes again is the version that was purged before.

    Args:
        row: As it comes (`id`, `document_id`).
        known: As it is stored (`document_id`).
    """
    return purged_id(str(row["document_id"])) == str(known["document_id"])


def keep_purged(rows: list[dict[str, Any]], known: Mapping[str, Mapping[str, Any]]) -> None:
    """Lets records whose text was purged for its share be the stored version; changes `rows` in place.

    A text that was purged for its age and comes again is stored again: its project lives.
    """
    for row in rows:
        before = known.get(row["id"])
        if before is None or not same_as_before(row, before):
            continue
        mark = json.loads(before["extra"]).get(MARK, {})
        if mark.get("because") == SHARE:
            row["document_id"] = before["document_id"]
            row["extra"] = json.dumps({**json.loads(row["extra"]), MARK: mark}, ensure_ascii=False)
