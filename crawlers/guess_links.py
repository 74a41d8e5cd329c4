"""Which addresses of a start page and a sitemap look like records: what stands in menus or is legal text is left out.

Below: `discover`, `fields`. Above: `guess` writes the draft. Pure: no network, no clock.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote, urlsplit

from crawlers.discover import canonical_url, page_links
from crawlers.fields import parse_html
from crawlers.values import tidy

MIN_GROUP = 3
"""So many addresses of one build are a pattern."""
MAX_ALIASES = 5
MENU_ROLES = frozenset({"navigation", "banner", "contentinfo"})
MENU_NAMES = re.compile(
    r"(?:(?:site|page|main|haupt|meta|top|sub|side|global|mobile|footer|header)[-_]?)?"
    r"(?:nav|navi|navbar|navigation|menu|menue|menü|footer|breadcrumbs?)",
    re.I,
)
"""An id or a class as a whole: `card-footer` and `has-menu` are no menus."""
CARDS = ("article", "main", "section", "li")
"""A header or footer inside of these is part of a text, not of the site."""
LEGAL_NAME = (
    r"(?:impressum|imprint|datenschutz(?:erkl(?:ae|ä)rung|hinweise?|bestimmungen)?|privacy(?:-policy)?"
    r"|kontakt(?:formular)?|contact|anfahrt|sitemap|inhaltsverzeichnis|log-?in|logout|anmelden|anmeldung|registrieren"
    r"|(?:erkl(?:ae|ä)rung-zur-)?barrierefreiheit(?:serkl(?:ae|ä)rung)?|agb|nutzungsbedingungen|haftungsausschluss"
    r"|disclaimer|rechtliches|rechtliche-hinweise|cookies?(?:-richtlinie|-einstellungen)?|suche|newsletter"
    r"|leichte-sprache|geb(?:ae|ä)rdensprache)"
)
LEGAL = re.compile(rf"{LEGAL_NAME}(?:[-_](?:(?:und|&)[-_])?{LEGAL_NAME})*(?:\.\w{{2,5}})?", re.I)


@dataclass(frozen=True, slots=True)
class Group:
    """Addresses that are built alike."""

    pattern: str
    links: tuple[str, ...]
    """Canonical; those of the page first, in its order, then those of the sitemap."""
    on_page: int


@dataclass(frozen=True, slots=True)
class Links:
    """What a start page links to; canonical addresses in their order, each once."""

    every: tuple[str, ...]
    content: tuple[str, ...]
    """Outside of menus, and no legal page."""
    menu: frozenset[str]
    """In menus, or a legal page."""


def is_legal(name: str) -> bool:
    """Whether a part of an address, or a link's text, names a page that every site has („Impressum“)."""
    return LEGAL.fullmatch(re.sub(r"\s+", "-", unquote(name).strip())) is not None


def read_links(html: str, url: str) -> Links:
    """Sort a page's links into content and menus (nav, header, footer, and what is named so)."""
    every = _canonical(page_links(html, url).links)
    tree = parse_html(html)
    base = str(tree.find("base") or "")
    menus = [tag for tag in tree.find_all(_is_menu) if tag.find_parent(_is_menu) is None]
    menus += [tag for tag in tree.find_all("a") if is_legal(tidy(tag.get_text(" "))) and not tag.find_parent(_is_menu)]
    in_menus = set(_canonical(page_links(base + "".join(str(tag.extract()) for tag in menus), url).links))
    legal = {link for link in every if is_legal(_parts(link)[-1])}
    content = [link for link in _canonical(page_links(str(tree), url).links) if link not in legal]
    return Links(tuple(every), tuple(content), frozenset(in_menus | legal))


def _canonical(links: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(form for link in links if (form := canonical_url(link))))


def _parts(link: str) -> list[str]:
    return urlsplit(link).path.rstrip("/").split("/")


def _is_menu(tag: Any) -> bool:
    if tag.name in ("html", "body", "main", "article", "a"):
        return False
    if tag.name in ("header", "footer"):
        return tag.find_parent(CARDS) is None
    if tag.name == "nav" or (tag.get("role") or "").lower() in MENU_ROLES:
        return True
    names = f"{tag.get('id') or ''} {tag.get('class') or ''}".split()
    return any(MENU_NAMES.fullmatch(name) for name in names) and tag.find(["main", "article"]) is None


def shape(path: str) -> str:
    """A regular expression for all addresses built like this one: numbers and the last part may differ.

    Directly below the host it names the host, too, which would else count as a last part.
    """
    parts = path.rstrip("/").split("/")
    fixed = [re.sub(r"\d+", r"\\d+", escaped(part)) for part in parts[:-1]]
    last = r"\d+" if parts[-1].isdigit() else r"[^/?]+"
    return ("://[^/]+" if len(parts) == 2 else "") + "/".join([*fixed, last]) + "/?$"


def escaped(text: str) -> str:
    """A text as a regular expression that people can read: hyphens stay as they are."""
    return re.escape(text).replace(r"\-", "-")


def page_pattern(url: str) -> str:
    """A regular expression for one address, whatever the scheme."""
    parts = urlsplit(url)
    query = rf"\?{escaped(parts.query)}" if parts.query else ""
    return f"://{escaped(parts.netloc)}{escaped(parts.path.rstrip('/'))}/?{query}$"


def ranked_groups(links: Links, sitemap: Iterable[str], start: str, skipped: Collection[str]) -> list[Group]:
    """Group addresses by their build, the likeliest records first.

    Args:
        links: Of the start page.
        sitemap: Addresses that the sitemap names.
        start: Canonical start address; only its host counts.
        skipped: Canonical addresses that are no records for sure (the start page's own).

    Returns:
        Groups of at least `MIN_GROUP` addresses. First those that the page itself links to as often, then by the parts
        of the path shared with the start address, by the number on the page and by that in the sitemap; ties in the
        page's order. Links that stand in a menu as well count only where there is no other group on the page.
    """
    listed = [link for link in _canonical(sitemap) if link not in links.menu and not is_legal(_parts(link)[-1])]
    own = {link.rstrip("/") for link in skipped}
    found: list[Group] = []
    for chosen in ([link for link in links.content if link not in links.menu], links.content, links.every):
        found = _groups(chosen, listed, start, own)
        if any(group.on_page >= MIN_GROUP for group in found):
            break
    home = _home(start)
    return sorted(
        found,
        key=lambda group: (
            group.on_page < MIN_GROUP, -_shared(home, group.links[0]), -group.on_page, -len(group.links)
        ),
    )  # fmt: skip


def _groups(page: Iterable[str], listed: Iterable[str], start: str, own: set[str]) -> list[Group]:
    host = urlsplit(start).netloc
    groups: dict[str, dict[str, None]] = {}
    on_page: Counter[str] = Counter()
    for link, linked in [*((link, True) for link in page), *((link, False) for link in listed)]:
        parts = urlsplit(link)
        usable = parts.netloc == host and len(parts.path.strip("/")) > 1 and not parts.query
        if not usable or link.rstrip("/") in own or is_legal(_parts(link)[-1]):
            continue
        pattern = shape(parts.path)
        groups.setdefault(pattern, {})[link] = None
        on_page[pattern] += linked
    return [
        Group(pattern, tuple(group), on_page[pattern]) for pattern, group in groups.items() if len(group) >= MIN_GROUP
    ]


def _home(start: str) -> list[str]:
    """The parts of the path below which a start page's own pages lie: `/projekte` for `/projekte.html` as well."""
    parts = [part for part in _parts(start) if part]
    if parts and "." in parts[-1]:
        stem = parts.pop().rsplit(".", 1)[0]
        parts += [] if stem in ("index", "default", "home") else [stem]
    return parts


def _shared(home: list[str], link: str) -> int:
    """How many parts of the path an address shares with the start, its own last part left out."""
    count = 0
    for wanted, part in zip(home, _parts(link)[1:-1], strict=False):
        if wanted != part:
            break
        count += 1
    return count


def never_patterns(group: Group | None, links: Links, own: Collection[str]) -> list[str]:
    """Patterns of the pages that a group's pattern would take in though they are none of its records."""
    if group is None:
        return []
    others = [*own, *(link for link in links.every if link in links.menu and link not in group.links)]
    return list(dict.fromkeys(page_pattern(link) for link in others if re.search(group.pattern, link)))


def aliases(links: Links, host: str) -> list[str]:
    """Hosts that links lead to and that are this one with or without `www.`."""
    bare = host.removeprefix("www.")
    elsewhere = Counter(netloc for link in links.every if (netloc := urlsplit(link).netloc) != host)
    return [other for other, _ in elsewhere.most_common(MAX_ALIASES) if other.removeprefix("www.") == bare]
