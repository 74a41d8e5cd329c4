"""The impact tier, from its two axes (docs/architecture.md, "Impact").

Below: nothing. Above: `pipeline.nlp` for what it reads, `data.shipped` for what editors state.
Levels 0-7: PHINEO, "Kursbuch Wirkung" (impact staircase); evidence grades 0-5 and X: the house's own scale.
"""

TIERS = ("open", "promising", "high", "proven")
"""Worst first."""
TIER_TITLES = {
    "proven": "nachgewiesen wirksam", "high": "hohe Wirkung", "promising": "erste Ergebnisse",
    "open": "Wirkung offen",
}  # fmt: skip
"""As people read them."""
HIGH = ("high", "proven")
"""The tiers that are told as high impact."""
EVIDENCE_GRADES = ("X", "0", "1", "2", "3", "4", "5")
"""As filters rank them: a rigorous study that found no benefit ranks below no statement."""

LEVEL_TITLES = {
    0: "0 kein Ergebnis genannt", 1: "1 Angebot findet statt", 2: "2 Zielgruppe erreicht", 3: "3 angenommen, zufrieden",
    4: "4 Wissen oder Haltung verändert", 5: "5 Verhalten verändert", 6: "6 Lebenslage verbessert",
    7: "7 Gesellschaft verändert",
}  # fmt: skip
"""The result levels (PHINEO, "Kursbuch Wirkung") in a few words."""
EVIDENCE_TITLES = {
    "X": "X Studie: ohne Nutzen", "0": "0 kein Beleg genannt", "1": "1 eigene Zählung", "2": "2 Monitoring",
    "3": "3 externe Evaluation", "4": "4 mit Vergleich", "5": "5 mehrere Studien",
}  # fmt: skip


def tier(level: int, evidence_grade: str, *, verified: bool = False) -> str:
    """The tier of a result level 0-7 with an evidence grade.

    A verified X is `open`, whatever the level; a claimed X leaves the tier to the level alone (grade "0").
    """
    if evidence_grade == "X" and verified:
        return "open"
    grade = 0 if evidence_grade == "X" else int(evidence_grade)
    if level >= 5 and grade >= 3:
        return "proven"
    if level >= 4 and grade >= 2:
        return "high"
    if level >= 3 or grade >= 1:
        return "promising"
    return "open"
