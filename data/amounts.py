"""Amounts as people read them.

Below: nothing. Above: `matching.explain`, the pages and the terminal of `checkup`.
"""


def euros(amount: float) -> str:
    """An amount in euros with German separators."""
    return f"{amount:,.0f} €".replace(",", ".")
