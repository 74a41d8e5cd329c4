"""What properties are called where people read them; a property without a title is shown by its name.

Below: nothing. Above: `checkup.console`.
"""

_TITLES = {
    "organisation": "Träger", "funder": "Geldgeber", "start_year": "Beginn", "end_year": "Ende",
    "duration_months": "Dauer (Monate)", "staff": "Stellen", "volunteers": "Ehrenamtliche",
    "yearly_cost_eur": "Kosten im Jahr (Euro)", "languages": "Sprachen", "contact": "Kontakt", "places": "Ort",
    "scope": "Reichweite",
}  # fmt: skip


def property_title(name: str) -> str:
    """The German title of a property, or its name."""
    return _TITLES.get(name, name)
