"""The door: what is imported or crawled becomes a `Project` whose personal data are masked before anything is stored.

Below: `pipeline.nlp.privacy`. Above: `pipeline.refresh`.
"""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from data.records import Fetched, Project

_COLUMNS = {"organisation", "municipality", "state", "start_year", "end_year"}
_YEAR = re.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")


def mask_project(project: Project) -> Project:
    """The project with personal data in title, text, organisation and further keys replaced by U+2588.

    Every masked code point stands for one: lengths and offsets stay. Addresses of pages are left alone.
    """
    return replace(
        project,
        title=_masked(project.title),
        text=_masked(project.text),
        organisation=_masked(project.organisation),
        municipality=_masked(project.municipality),
        extra=_masked(dict(project.extra)),
    )


def from_fetched(fetched: Fetched) -> Project:
    """The project that a fetched page or list row describes, masked.

    The id is derived from source and address, so that the same page fetched again is the same project. Facts named
    like a column of a project become that column (years are read out of dates); the others are kept as further keys.
    """
    facts = {key: value for key, value in fetched.facts.items() if value not in (None, "")}
    key = hashlib.sha256(f"{fetched.source}\n{fetched.url}".encode("utf-8", "replace")).hexdigest()[:16]
    return mask_project(
        Project(
            id=f"{fetched.source}-{key}",
            title=fetched.title,
            text=fetched.text,
            url=fetched.url,
            organisation=_text(facts.get("organisation")),
            municipality=_text(facts.get("municipality")),
            state=_text(facts.get("state")),
            start_year=_year(facts, "start_year"),
            end_year=_year(facts, "end_year"),
            extra={name: value for name, value in facts.items() if name not in _COLUMNS},
        )
    )


def as_fetched(project: Project, *, source: str, sha256: str, fetched_at: str) -> Fetched:
    """A masked project as a fetched page again; `from_fetched` leads back to the same project.

    Args:
        project: As `from_fetched` made it.
        source: Name of its source.
        sha256: Hash of the page.
        fetched_at: When it was read.
    """
    columns = {name: getattr(project, name) for name in sorted(_COLUMNS)}
    return Fetched(
        source=source,
        url=project.url or "",
        title=project.title,
        text=project.text,
        facts={name: value for name, value in columns.items() if value is not None} | dict(project.extra),
        sha256=sha256,
        fetched_at=fetched_at,
    )


def _masked(value: Any) -> Any:
    """`mask` for every string in a JSON value; keys are names of columns and stay."""
    from pipeline.nlp.privacy import mask

    if isinstance(value, str):
        return mask(value)
    if isinstance(value, Mapping):
        return {key: _masked(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item) for item in value]
    return value


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _year(facts: Mapping[str, Any], name: str) -> int | None:
    """The first year in a fact such as `01.10.2016`; the last one for the end."""
    years = _YEAR.findall(str(facts.get(name, "")))
    return int(years[-1 if name == "end_year" else 0]) if years else None
