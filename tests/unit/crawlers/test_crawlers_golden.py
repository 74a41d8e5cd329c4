"""Each shipped source reads its golden inputs as written down beside them (`tests/golden/SOURCE/CASE/`).

The inputs follow the structure of the real pages and lists and are written in words of our own. After a wanted change
in reading: `python -m pytest tests/unit/crawlers/test_crawlers_golden.py` shows the difference; edit output.json.
"""

import json
from dataclasses import asdict
from pathlib import Path

import pytest

from crawlers.fields import parse_html
from crawlers.handover import addresses
from crawlers.lists import read_list
from crawlers.outcome import Refused
from crawlers.page import read_items, read_page
from crawlers.source import load_source, source_names
from crawlers.web import Refusal

GOLDEN = Path(__file__).parents[2] / "golden"
CASES = sorted(path.parent for path in GOLDEN.glob("*/*/input.*"))


def read_case(case: Path) -> dict:
    source = load_source(case.parent.name)
    given = next(case.glob("input.*"))
    records, refused = [], []
    if source.kind == "list":
        try:
            for outcome in read_list(given.read_bytes(), source, fetched_at="2026-01-31T08:00:00.000Z"):
                if isinstance(outcome, Refused):
                    refused.append({"line": outcome.line, "reason": outcome.reason})
                else:
                    found = asdict(outcome)
                    records.append({key: found[key] for key in ("url", "title", "text", "facts")})
        except Refusal as refusal:
            refused.append({"line": None, "reason": refusal.reason})
        return {"records": records, "refused": refused}
    html = given.read_text(encoding="utf-8")
    url = source.homepage + "probe"
    soup = parse_html(html)
    item = source.site.item if source.site else None
    readings = [read_page(html, soup, source, url)] if item is None else read_items(soup, source, item, url)
    for reading, address in zip(readings, addresses(url, readings), strict=True):
        if reading.reason is not None:
            refused.append({"line": None, "reason": reading.reason})
        else:
            facts = dict(reading.facts)
            records.append({"url": address, "title": reading.title, "text": reading.text, "facts": facts})
    return {"records": records, "refused": refused}


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_golden(case):
    expected = json.loads((case / "output.json").read_text(encoding="utf-8"))
    assert read_case(case) == expected


def test_every_shipped_source_has_a_case():
    assert {case.parent.name for case in CASES} == set(source_names())
