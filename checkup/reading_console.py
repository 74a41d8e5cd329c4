"""What was read in a text, as people read it in a terminal: of a project, of a situation.

Below: `checkup.console`, `checkup.property_titles`. Above: `checkup extract`, `checkup analyse`.
"""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from rich.markup import escape

from checkup.console import abstention, own_console, shorten, understood
from checkup.property_titles import property_title, property_value, word
from data.impact import EVIDENCE_TITLES, LEVEL_TITLES, TIER_TITLES
from pipeline.nlp.privacy import MASK

if TYPE_CHECKING:
    from data.vocabulary import Vocabulary


def print_extraction(answer: Mapping[str, Any], vocabulary: "Vocabulary") -> None:
    """`extract`: every value with its quote."""
    console = own_console()
    impact = answer["impact"]
    if not answer["on_topic"]:
        console.print("Der Text handelt wohl nicht von Integration; Felder und Wirkung bleiben leer.", style="yellow")
    else:
        level, grade = LEVEL_TITLES[impact["level"]], EVIDENCE_TITLES[impact["evidence_grade"]]
        console.print(f"{TIER_TITLES[impact['tier']]} (Stufe {level}, Evidenz {grade})")
    shown = list(_values(answer, vocabulary))
    for told, quote in shown:
        console.print(f"  {escape(told)}  [yellow]{escape(shorten(quote, 100))}[/]")
    if any(MASK in quote for _, quote in shown):
        console.print(f"{MASK} steht für Angaben zu Personen, die nicht gezeigt werden.", style="dim")


def _values(answer: Mapping[str, Any], vocabulary: "Vocabulary") -> Iterator[tuple[str, str]]:
    """What was read, with its quote: labels, claims, experiences, then the other facts."""
    for name in ("action_fields", "target_groups", "approaches"):
        for item in answer[name]:
            quote = item["quotes"][0]["quote"] if item["quotes"] else ""
            yield f"{property_title(name)}: {property_value(name, item['id'], vocabulary)} ({item['score']:.2f})", quote
    for claim in answer["impact"]["claims"]:
        yield f"{property_title('claims')}: {property_value('claims', claim)}", claim["quote"]
    for lesson in answer["lessons"]:
        yield f"{property_title('lessons')}: {property_value('lessons', lesson['kind'])}", lesson["quote"]
    if went_on := answer["continuation"]:
        yield f"{property_title('continuation')}: {property_value('continuation', went_on)}", went_on["quote"]
    for award in answer["awards"]:
        yield property_title("awards"), award["quote"]
    for place in answer["places"]:
        yield f"{property_title('places')}: {property_value('places', place)}", place["quote"]
    if answer["scope"]:
        yield f"{property_title('scope')}: {property_value('scope', answer['scope'])}", ""
    yield from _facts(answer)


def _facts(answer: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The facts; costs on one line with their kind."""
    cost, kind = answer["budget_eur"], answer["budget_kind"]
    for fact in answer["facts"]:
        name, value = fact["property"], property_value(fact["property"], fact["value"])
        if name == "budget_kind" or (name == "yearly_cost_eur" and kind == "yearly" and fact["value"] == cost):
            continue
        told = f"{value} {word(kind)}" if name == "budget_eur" and kind else value
        yield f"{property_title(name)} = {told}", fact["quote"]


def print_analysis(answer: Mapping[str, Any], vocabulary: "Vocabulary") -> None:
    """`analyse`: what was understood of a situation."""
    console = own_console()
    if not answer["answerable"]:
        console.print(abstention({"abstained_because": answer["unanswerable_because"], "ask": answer["ask"]}))
    for title, key in (("Bedarfe", "needs"), ("Vorhanden", "existing"), ("Grenzen", "limits")):
        if answer[key]:
            console.print(f"[bold]{title}[/]")
        for item in answer[key]:
            console.print(f"  • {escape(_named(key, item, vocabulary))}: {escape(shorten(item['statement'], 160))}")
    fields = [property_value("action_fields", name, vocabulary) for name in answer["action_fields"]["needed"]]
    groups = [property_value("target_groups", group["id"], vocabulary) for group in answer["target_groups"]]
    console.print(f"Handlungsfelder: {escape(', '.join(fields) or '–')}")
    console.print(f"Zielgruppen: {escape(', '.join(groups) or '–')}")
    for key in ("municipality", "state", "population", "budget_limit_eur"):
        if answer[key] is not None:
            console.print(f"{property_title(key)}: {escape(property_value(key, answer[key]))}")
    if answer["place"]:
        from matching.place_lookup import told

        console.print(escape(told(answer["place"], stated=answer["population"])))


def _named(key: str, item: Mapping[str, Any], vocabulary: "Vocabulary") -> str:
    """What a sentence of a situation tells: its need, the field in which something works, the kind of a limit."""
    if key == "needs":
        return understood(item, vocabulary)
    if key == "existing":
        return property_value("action_fields", item["field"], vocabulary) if item.get("field") else "läuft"
    return word(str(item.get("kind") or ""))
