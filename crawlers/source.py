"""A source: one YAML file that says what may be read where, how pages or rows become records, and what to expect.

Below: `yamlfile`, `source.schema.json`. Above: `crawl`, `page`, `lists`, `discover`, the command `sources`.
The format is CONTRACT's "Sources"; shipped files lie in `crawlers/sources/`, a workspace's own in `WORKSPACE/sources`.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from crawlers.yamlfile import YamlFile, check_schema, read_yaml
from data.errors import CheckupError

Kind = Literal["site", "feed", "list"]

SHIPPED = Path(__file__).parent / "sources"
SCHEMA = Path(__file__).parent / "source.schema.json"
SELECTORS = ("css", "jsonld", "meta", "label", "const")
RECORD_FIELDS = ("title", "text", "url")
"""Fields that are not facts: they go into the record itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRule:
    """How one field is read from a page, or how a list's column is reworked.

    Exactly one of css, jsonld, meta, label, const on a page; in a list const, or none of them beside a column.
    """

    css: str | None = None
    jsonld: str | None = None
    meta: str | None = None
    label: str | None = None
    const: str | float | None = None
    attr: str | None = None
    join: str | None = None
    regex: re.Pattern[str] | None = None
    lookup: Mapping[str, str | float | None] | None = None
    required: bool = False
    scope: Literal["item", "page"] = "item"
    """Where pages hold several records: whether the value stands in the record or belongs to the whole page."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemRule:
    """How a page that holds several records is cut: each match of `css`, or each heading with what stands below it."""

    css: str | None = None
    heading: str | None = None
    below: str | None = None
    """Only headings after the heading that begins with this text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteConfig:
    """Where a crawl of pages begins, how far it goes and which pages are records."""

    start: tuple[str, ...]
    records: tuple[re.Pattern[str], ...]
    sitemap: tuple[str, ...] | Literal["auto", "none"] = "auto"
    host_aliases: Mapping[str, str] = field(default_factory=dict)
    follow: tuple[re.Pattern[str], ...] = ()
    never: tuple[re.Pattern[str], ...] = ()
    item: ItemRule | None = None
    max_pages: int = 5000
    max_depth: int = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedConfig:
    """An RSS or Atom feed whose entries' pages are records."""

    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ListConfig:
    """A table: CSV, XLSX or JSON."""

    format: Literal["csv", "xlsx", "json"]
    columns: Mapping[str, tuple[str | int, ...]]
    url: str | None = None
    file: Path | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int = 1
    """1-based row of the column names; 0: none, columns are named by their 1-based number."""
    sheet: str | int | None = None
    path: str | None = None
    """Where the rows lie in a JSON file, e.g. `result.records`."""
    only: Mapping[str, re.Pattern[str]] = field(default_factory=dict)
    """Fields and what they must contain; other rows are named as left out."""
    decimal: Literal[",", "."] | None = None
    date_formats: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What a run must bring; a run outside of it is reported as failed."""

    min_records: int | None = None
    max_records: int | None = None
    fill: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceConfig:
    """One source, checked."""

    name: str
    publisher: str
    homepage: str
    licence: str
    kind: Kind
    path: Path
    language: str = "de"
    schedule: Literal["weekly", "monthly", "quarterly"] = "monthly"
    delay_s: float = 2.0
    concurrency: int = 1
    """Requests to one host that may be under way at once."""
    allow_private_hosts: bool = False
    display: Literal["quote", "full"] = "quote"
    retention_days: int = 90
    """After a project was last seen; a file that does not name it and is read quarterly has two quarters."""
    database: bool = False
    share_cap_percent: float = 10.0
    contact: str | None = None
    opt_out: tuple[str, ...] = ()
    expect: Expectation = field(default_factory=Expectation)
    site: SiteConfig | None = None
    feed: FeedConfig | None = None
    list: ListConfig | None = None
    fields: Mapping[str, tuple[FieldRule, ...]] = field(default_factory=dict)

    @property
    def field_names(self) -> tuple[str, ...]:
        """The fields that its records may have: those with a rule, and a list's columns but the two that name a row."""
        columns = [name for name in self.list.columns if name not in ("id", "url")] if self.list else []
        return tuple(dict.fromkeys([*columns, *self.fields]))

    @property
    def hosts(self) -> frozenset[str]:
        """Host names that the source itself names, in lower case, with their aliases."""
        urls = [*self.site.start] if self.site else []
        if self.site and isinstance(self.site.sitemap, tuple):
            urls += self.site.sitemap
        urls += [self.feed.url] if self.feed else []
        urls += [self.list.url] if self.list and self.list.url else []
        names = {(urlsplit(url).hostname or "").lower() for url in urls}
        aliases = self.site.host_aliases if self.site else {}
        return frozenset(names | {host.split(":")[0].lower() for pair in aliases.items() for host in pair})

    def opted_out(self, url: str) -> bool:
        """Whether an address is on the list `opt_out`: a host name, or the beginning of an address."""
        host = (urlsplit(url).hostname or "").lower()
        for entry in self.opt_out:
            if "/" not in entry and (host == entry.lower() or host.endswith("." + entry.lower())):
                return True
            if "/" in entry and (url.startswith(entry) or url.split("://", 1)[-1].startswith(entry)):
                return True
        return False


@cache
def _schema() -> dict[str, Any]:
    schema: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return schema


def load_source(name_or_path: str | Path, *, overlay: Path | None = None) -> SourceConfig:
    """Load a source by name or by the path of its file.

    Args:
        name_or_path: A name (`integreat-landkreis-augsburg`) or a YAML file anywhere.
        overlay: The workspace's own folder of sources; comes before the shipped ones.

    Raises:
        CheckupError: No such source, or a file that breaks the format; the message names file and line.
    """
    text = str(name_or_path)
    if isinstance(name_or_path, Path) or text.endswith((".yaml", ".yml")) or "/" in text or "\\" in text:
        return parse_source(Path(name_or_path))
    for folder in (overlay, SHIPPED):
        if folder is not None and (folder / f"{text}.yaml").is_file():
            return parse_source(folder / f"{text}.yaml")
    known = ", ".join(source_names(overlay=overlay)) or "keine"
    raise CheckupError(f"Eine Quelle „{text}“ gibt es nicht. Bekannt sind: {known}. Eine YAML-Datei geht auch.")


def source_names(*, overlay: Path | None = None) -> list[str]:
    """Names of all sources, shipped and of the workspace, in alphabetical order."""
    folders = [folder for folder in (overlay, SHIPPED) if folder is not None and folder.is_dir()]
    return sorted({file.stem for folder in folders for file in folder.glob("*.yaml")})


def all_sources(*, overlay: Path | None = None) -> Iterator[SourceConfig | CheckupError]:
    """Every source in alphabetical order; a broken file gives its error and stops no other."""
    for name in source_names(overlay=overlay):
        try:
            yield load_source(name, overlay=overlay)
        except CheckupError as error:
            yield error


def parse_source(path: Path) -> SourceConfig:
    """Read and check one file (see `load_source`)."""
    file = read_yaml(path)
    if not isinstance(file.value, dict):
        raise file.error((), "Eine Quelle ist eine Gruppe von Schlüsseln (name: …, publisher: …).")
    check_schema(file, _schema())
    _check_kind(file)
    value = dict(file.value)
    if value.get("schedule") == "quarterly":
        value.setdefault("retention_days", 182)
    return SourceConfig(
        **{key: item for key, item in value.items() if key in _PLAIN_KEYS},
        path=path,
        opt_out=tuple(value.get("opt_out") or ()),
        expect=Expectation(**value.get("expect", {})),
        site=_site(file) if "site" in value else None,
        feed=FeedConfig(**value["feed"]) if "feed" in value else None,
        list=_list(file) if "list" in value else None,
        fields={name: _rules(file, name, rules) for name, rules in value.get("fields", {}).items()},
    )


_PLAIN_KEYS = frozenset(
    {
        "name", "publisher", "homepage", "licence", "kind", "language", "schedule", "delay_s", "concurrency",
        "allow_private_hosts", "display", "retention_days", "database", "share_cap_percent", "contact",
    }
)  # fmt: skip


def _check_kind(file: YamlFile) -> None:
    value = file.value
    kind = value["kind"]
    if kind not in value:
        raise file.error(("kind",), f"Zu kind: {kind} gehört der Abschnitt „{kind}:“; er fehlt.")
    others = [key for key in ("site", "feed", "list") if key in value and key != kind]
    if others:
        raise file.error((others[0],), f"Bei kind: {kind} darf der Abschnitt „{others[0]}:“ nicht stehen.")
    if kind != "list" and not value.get("fields"):
        raise file.error(("kind",), f"Zu kind: {kind} gehört der Abschnitt „fields:“ mit mindestens title.")
    if value.get("display") == "full" and value["licence"].lower() in ("unbekannt", "keine angabe"):
        raise file.error(("display",), "display: full braucht eine Lizenz, die es erlaubt.")


def _pattern(file: YamlFile, path: tuple[str | int, ...], text: str) -> re.Pattern[str]:
    try:
        return re.compile(text)
    except re.error as error:
        raise file.error(path, f"„{text}“ ist kein regulärer Ausdruck ({error}).") from error


def _patterns(file: YamlFile, section: str, key: str) -> tuple[re.Pattern[str], ...]:
    texts = file.value[section].get(key) or []
    return tuple(_pattern(file, (section, key, index), text) for index, text in enumerate(texts))


def _site(file: YamlFile) -> SiteConfig:
    value = file.value["site"]
    sitemap = value.get("sitemap", "auto")
    options = {key: value[key] for key in ("max_pages", "max_depth") if key in value}
    return SiteConfig(
        start=tuple(value["start"]),
        sitemap=tuple(sitemap) if isinstance(sitemap, list) else sitemap,
        host_aliases={old.lower(): new.lower() for old, new in (value.get("host_aliases") or {}).items()},
        follow=_patterns(file, "site", "follow"),
        records=_patterns(file, "site", "records"),
        never=_patterns(file, "site", "never"),
        item=_item(file, value["item"]) if "item" in value else None,
        **options,
    )


def _item(file: YamlFile, value: dict[str, Any]) -> ItemRule:
    if "css" in value:
        _check_css(file, ("site", "item"), value["css"])
    return ItemRule(**value)


def _list(file: YamlFile) -> ListConfig:
    value = dict(file.value["list"])
    columns = {name: tuple(cols) if isinstance(cols, list) else (cols,) for name, cols in value.pop("columns").items()}
    if not {"title", "text"} & set(columns):
        raise file.error(("list", "columns"), "Mindestens title oder text muss eine Spalte haben.")
    only = {
        name: _pattern(file, ("list", "only", name), text) for name, text in (value.pop("only", None) or {}).items()
    }
    formats = tuple(value.pop("date_formats", None) or ())
    local = value.pop("file", None)
    return ListConfig(
        columns=columns,
        only=only,
        date_formats=formats,
        file=(file.path.parent / local) if local is not None else None,
        **value,
    )


def _rules(file: YamlFile, name: str, rules: Any) -> tuple[FieldRule, ...]:
    alternatives = rules if isinstance(rules, list) else [rules]
    return tuple(_rule(file, name, rule) for rule in alternatives)


def _rule(file: YamlFile, name: str, rule: dict[str, Any]) -> FieldRule:
    chosen = [selector for selector in SELECTORS if selector in rule]
    is_list = file.value["kind"] == "list"
    if len(chosen) > 1 or (not chosen and not is_list) or (is_list and chosen not in ([], ["const"])):
        wanted = "const (oder nichts davon, dann gilt die Spalte)" if is_list else "css, jsonld, meta, label, const"
        raise file.error(("fields", name), f"fields.{name} braucht genau eines von: {wanted}.")
    options = dict(rule)
    if "regex" in options:
        options["regex"] = _pattern(file, ("fields", name, "regex"), options["regex"])
    if "css" in options:
        _check_css(file, ("fields", name), options["css"])
    return FieldRule(**options)


def _check_css(file: YamlFile, place: tuple[str | int, ...], selector: str) -> None:
    import soupsieve

    try:
        soupsieve.compile(selector)
    except soupsieve.SelectorSyntaxError as error:
        problem = str(error).splitlines()[0]
        name = ".".join(map(str, place))
        raise file.error(place, f"{name}: „{selector}“ ist kein CSS-Selektor ({problem}).") from error
