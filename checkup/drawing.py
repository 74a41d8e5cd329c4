"""Heat maps and bars as inline SVG, without scripts or addresses; every cell has its number, so that grey is enough.

Below: nothing. Above: `checkup.coverage_page`. Lengths are in the drawing's own units (about one pixel on a screen).
"""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from math import sqrt

LETTER, LINE = 8.2, 15
"""Room for a letter and height of a line at 13 units (wide fonts such as DejaVu Sans included)."""
CELL_WIDTH, CELL_HEIGHT = 86, 27
LABEL_LETTERS, HEAD_LETTERS, HEAD_LINES = 38, 10, 3
BAR_WIDTH, BAR_GAP, BAR_HEIGHT = 34, 12, 170
PALE, DARK = (233, 240, 246), (13, 54, 91)
"""The fills of a count of nearly none and of the highest."""
LIGHT_TEXT_FROM = 0.66
"""Share of the ramp from which white text has more contrast than black (both then above 4.3 : 1, WCAG 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HeatMap:
    """Counts to be drawn: `counts[row][column]`; `totals` stand beside the rows, uncoloured."""

    key: str
    """Unique on the page; part of ids."""
    title: str
    text: str
    """What a reader who does not see the drawing is told."""
    rows: Sequence[str]
    columns: Sequence[str]
    counts: Sequence[Sequence[int]]
    totals: Sequence[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bars:
    """One bar a label; those not `solid` are outlined only."""

    key: str
    title: str
    text: str
    labels: Sequence[str]
    counts: Sequence[int]
    solid: Sequence[bool]


def heat_map(drawn: HeatMap) -> str:
    """The heat map as an SVG element; a cell without entries is white with a dashed border."""
    left = 12 + LETTER * max((len(_cut(row, LABEL_LETTERS)) for row in drawn.rows), default=0)
    heads = [_wrapped(column) for column in (*drawn.columns, "gesamt")]
    top = 8 + LINE * max(len(lines) for lines in heads)
    highest = max((count for row in drawn.counts for count in row), default=0)
    parts = [_head(left + CELL_WIDTH * (at + 0.5), top, lines) for at, lines in enumerate(heads)]
    for at, (label, counts, total) in enumerate(zip(drawn.rows, drawn.counts, drawn.totals, strict=True)):
        y = top + CELL_HEIGHT * at
        parts.append(_text(left - 8, y + 18, _cut(label, LABEL_LETTERS), "end", full=label))
        parts += [_cell(left + CELL_WIDTH * place, y, count, highest) for place, count in enumerate(counts)]
        parts.append(_text(left + CELL_WIDTH * (len(counts) + 0.5), y + 18, str(total), "middle", weight="700"))
    width = left + CELL_WIDTH * len(heads) + 4
    return _svg(drawn, width, top + CELL_HEIGHT * len(drawn.rows) + 4, parts)


def bars(drawn: Bars) -> str:
    """The bars as an SVG element, each with its number above and its label below."""
    highest = max(drawn.counts, default=0) or 1
    step, top = BAR_WIDTH + BAR_GAP, 24
    base = top + BAR_HEIGHT
    parts = []
    for at, (label, count, solid) in enumerate(zip(drawn.labels, drawn.counts, drawn.solid, strict=True)):
        x, height = 10 + step * at, BAR_HEIGHT * count / highest
        fill = _rgb(DARK) if solid else "#fff"
        parts.append(
            f'<rect x="{x}" y="{base - height:.1f}" width="{BAR_WIDTH}" height="{height:.1f}" fill="{fill}" '
            'stroke="#333"/>'
        )
        parts.append(_text(x + BAR_WIDTH / 2, base - height - 6, str(count), "middle"))
        parts.append(_head(x + BAR_WIDTH / 2, base + 10 + LINE * len(label.split()), label.split()))
    width = 10 + step * len(drawn.labels)
    parts.append(f'<line x1="4" y1="{base}" x2="{width - 4}" y2="{base}" stroke="#333"/>')
    return _svg(drawn, width, base + 14 + 2 * LINE, parts)


def _svg(drawn: HeatMap | Bars, width: float, height: float, parts: Sequence[str]) -> str:
    names = f"{drawn.key}-titel", f"{drawn.key}-text"
    return (
        f'<svg role="img" aria-labelledby="{names[0]} {names[1]}" viewBox="0 0 {width:.0f} {height:.0f}" '
        f'width="{width:.0f}" height="{height:.0f}">'
        f'<title id="{names[0]}">{escape(drawn.title)}</title><desc id="{names[1]}">{escape(drawn.text)}</desc>'
        f"{''.join(parts)}</svg>"
    )


def _cell(x: float, y: float, count: int, highest: int) -> str:
    share = sqrt(count / highest) if highest else 0.0
    fill = _rgb([low + (high - low) * share for low, high in zip(PALE, DARK, strict=True)]) if count else "#fff"
    border = 'stroke="#fff"' if count else 'stroke="#777" stroke-dasharray="3 3"'
    box = (
        f'<rect x="{x + 1.5:.1f}" y="{y + 1.5:.1f}" width="{CELL_WIDTH - 3}" height="{CELL_HEIGHT - 3}" '
        f'fill="{fill}" {border}/>'
    )
    colour = "#fff" if share >= LIGHT_TEXT_FROM else "#000"
    return box + _text(x + CELL_WIDTH / 2, y + 18, str(count), "middle", fill=colour)


def _rgb(channels: Sequence[float]) -> str:
    return "#" + "".join(f"{round(channel):02x}" for channel in channels)


def _head(x: float, bottom: float, lines: Sequence[str]) -> str:
    first = bottom - 6 - LINE * (len(lines) - 1)
    return "".join(_text(x, first + LINE * at, line, "middle") for at, line in enumerate(lines))


def _text(
    x: float, y: float, content: str, anchor: str, *, full: str = "", weight: str = "400", fill: str = "#111"
) -> str:
    hint = f"<title>{escape(full)}</title>" if full and full != content else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-size="13" font-weight="{weight}" fill="{fill}">'
        f"{escape(content)}{hint}</text>"
    )


def _cut(text: str, letters: int) -> str:
    return text if len(text) <= letters else text[: letters - 1] + "…"


def _wrapped(text: str) -> list[str]:
    """The text on at most HEAD_LINES lines of HEAD_LETTERS; a longer word stays whole as far as the cell is wide."""
    lines = textwrap.wrap(text, HEAD_LETTERS, break_long_words=False, max_lines=HEAD_LINES, placeholder=" …")
    return [_cut(line, 14) for line in lines] or [""]
