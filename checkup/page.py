"""An answer as one HTML page that can be mailed or printed: no script, no address from outside, styles inside.

Below: `checkup.console` (words), `data.vocabulary`. Above: `checkup match --html`,
`checkup.coverage_page`.
"""

from collections.abc import Mapping
from html import escape
from typing import TYPE_CHECKING, Any

from checkup.console import missing_words, need_title, place_of, years_of
from data.amounts import euros
from data.impact import EVIDENCE_TITLES, LEVEL_TITLES, TIER_TITLES

if TYPE_CHECKING:
    from data.vocabulary import Vocabulary

STYLE = """
:root { color-scheme: light; --ink: #1d2733; --soft: #5b6775; --line: #d7dde4; --good: #1a6b45; --some: #8a5a00; }
body { font: 16px/1.5 system-ui, sans-serif; color: var(--ink); max-width: 52rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; } h2 { font-size: 1.1rem; margin: 0; }
.situation { white-space: pre-wrap; background: #f4f6f8; border-left: 4px solid var(--line); padding: .75rem 1rem; }
mark { background: #fff1c2; }
article { border: 1px solid var(--line); border-radius: 8px; padding: 1rem; margin: 1rem 0; break-inside: avoid; }
.facts, .note { color: var(--soft); font-size: .9rem; margin: .25rem 0; }
.tier { font-weight: 600; } .proven, .high { color: var(--good); } .promising { color: var(--some); }
blockquote { margin: .5rem 0; padding-left: .75rem; border-left: 3px solid var(--line); }
.misfit { color: #a01c1c; } a { color: #174ea6; overflow-wrap: anywhere; }
@media print { body { margin: 0; max-width: none; font-size: 11pt; } article { border-color: #999; } }
"""


LEVELS = f"Stufe: {', '.join(LEVEL_TITLES.values())}. Evidenz: {', '.join(EVIDENCE_TITLES.values())}."


def whole_page(title: str, body: str, style: str = "") -> str:
    """A page that stands alone.

    Args:
        title: plain text.
        body: HTML; whatever it holds is escaped already.
        style: CSS beside STYLE.
    """
    return (
        '<!doctype html><html lang="de"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Check-Up Integration: {escape(title)}</title><style>{STYLE}{style}</style></head>"
        f"<body>{body}</body></html>\n"
    )


def _marked(text: str, answer: Mapping[str, Any]) -> str:
    """The situation with the spans of its needs marked."""
    spans = sorted((need["start"], need["end"]) for need in answer["needs"] if need.get("end"))
    pieces, place = [], 0
    for start, end in spans:
        if start >= place:
            pieces += [escape(text[place:start]), f"<mark>{escape(text[start:end])}</mark>"]
            place = end
    return "".join([*pieces, escape(text[place:])])


def _link(url: str | None) -> str:
    """A link for web addresses; anything else is shown as text."""
    if not url:
        return ""
    shown = escape(url)
    return f'<a href="{shown}">{shown}</a>' if url.lower().startswith(("https://", "http://")) else shown


def _article(place: int, match: Mapping[str, Any], answer: Mapping[str, Any], vocabulary: "Vocabulary") -> str:
    tier, impact = match["impact"]["tier"], match["impact"]
    facts = [place_of(match), years_of(match), match["organisation"] or ""]
    facts += [euros(match["cost_eur"])] if match["cost_eur"] else []
    kind = "Zusammenfassung" if match["text_kind"] == "summary" else "Zitat"
    parts = [
        f"<article><h2>{place}. {escape(match['title'] or match['project_id'])}</h2>",
        f'<p class="facts">{escape(" · ".join(fact for fact in facts if fact))}</p>',
        f'<p class="tier {tier}">{TIER_TITLES[tier]} <span class="note">(Stufe {impact["level"]}, '
        f"Evidenz {escape(impact['evidence_grade'])}, {'geprüft' if impact['verified'] else 'laut Quelle'})</span></p>",
    ]
    for reason in match["reasons"]:
        need, approach = reason.get("need"), vocabulary.approaches.get(str(reason.get("approach")))
        bridge = [need_title(answer["needs"][need], vocabulary)] if need is not None else []
        bridge += [approach.title] if approach else []
        if bridge:
            parts.append(f'<p class="note">{escape(" → ".join(bridge))}</p>')
        if reason["passage"]:
            parts.append(
                f'<blockquote><span class="note">{kind}:</span> {escape(reason["passage"]["quote"])}</blockquote>'
            )
    parts += [f'<p class="misfit">Achtung: {escape(misfit)}</p>' for misfit in match["misfits"]]
    parts.append(f"<p>{_link(match['url'])}</p></article>")
    return "".join(parts)


def answer_page(answer: Mapping[str, Any], text: str, vocabulary: "Vocabulary") -> str:
    """The whole page."""
    body = [f'<h1>Projekte zur Lage</h1><div class="situation">{_marked(text, answer)}</div>']
    if answer["abstained"]:
        questions = "".join(f"<li>{escape(question)}</li>" for question in answer["ask"])
        body.append(f"<p>Dazu lässt sich noch nichts empfehlen.</p><ul>{questions}</ul>")
    titles = {m["project_id"]: m["title"] or m["project_id"] for m in answer["matches"]}
    if answer["highlights"]:
        names = "; ".join(escape(titles[i]) for i in answer["highlights"])
        body.append(f'<p><span class="tier high">Besonders wirksam:</span> {names}</p>')
    body += [_article(place, match, answer, vocabulary) for place, match in enumerate(answer["matches"], 1)]
    if note := missing_words(answer):
        body.append(f'<p class="note">{escape(note)}</p>')
    body.append(
        f'<p class="note">{len(answer["matches"])} von {answer["index"]["projects"]} Projekten. '
        f"Die Reihenfolge ist keine Wahrscheinlichkeit. {LEVELS}</p>"
    )
    return whole_page("Projekte zur Lage", "".join(body))
