"""`match` and `analyse`: a municipality's situation in, projects with reasons out.

Below: `matching`. Above: `checkup.cli`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from checkup import context
from checkup.commands.database import JSON

if TYPE_CHECKING:
    from matching.query import Query
    from matching.retrieve import Matcher

TEXT = typer.Argument(help="Die Lage in eigenen Worten; - liest die Standardeingabe")
TEXT_OPTION = typer.Option("--text", help="die Lage als Option")
FILE = typer.Option("--file", help=".txt .md .docx .pdf .html, oder -")
INPUT = typer.Option("--input", help="JSON Lines mit id und text, oder -")
OUTPUT = typer.Option("--output", help="Datei für die Antworten, oder -")


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command(epilog='Beispiel: checkup match "In unserem Ort finden anerkannte Geflüchtete keine Wohnung." --top 5')(
        match
    )
    app.command(epilog="Beispiel: checkup analyse --file vorlage.pdf --json")(analyse)


def _wanted(given: dict[str, Any], matcher: "Matcher", base: dict[str, Any]) -> "Query":
    """A query from an input line; its own filters outrank those of the call."""
    from data.errors import UsageError
    from matching.query import Query, filters_from, needs_from

    filters = given.get("filters") or {}
    if not isinstance(filters, dict):
        raise UsageError('„filters“ muss ein Objekt sein, z. B. {"state": ["Hessen"]}.')
    merged = {**base, **filters}
    vocabulary = matcher.vocabulary
    return Query(
        id=given.get("id"),
        text=given["text"],
        needs=needs_from(given.get("needs"), given["text"], vocabulary),
        filters=filters_from(merged, fields=list(vocabulary.fields), groups=list(vocabulary.groups)),
    )


def _needs_file(path: Path | None) -> Any:
    """What a file of corrected needs holds: a list, or the `needs` of an answer of `analyse` or `match`."""
    import json

    from data.errors import CheckupError

    if path is None:
        return None
    try:
        content = json.loads(path.read_text("utf-8-sig"))
    except (OSError, ValueError) as error:
        raise CheckupError(
            f"{path} ist nicht lesbar: {error}. Erwartet wird JSON, wie analyse --json es ausgibt."
        ) from error
    return content["needs"] if isinstance(content, dict) and "needs" in content else content


def match(
    text: Annotated[str | None, TEXT] = None,
    text_option: Annotated[str | None, TEXT_OPTION] = None,
    file: Annotated[Path | None, FILE] = None,
    input: Annotated[str | None, INPUT] = None,  # noqa: A002
    output: Annotated[str | None, OUTPUT] = None,
    needs: Annotated[Path | None, typer.Option(help="berichtigte Bedarfe (JSON, wie von analyse)")] = None,
    top: Annotated[int, typer.Option(min=1, max=1000, help="wie viele Projekte höchstens")] = 10,
    field: Annotated[list[str] | None, typer.Option(help="nur dieses Handlungsfeld (id)")] = None,
    group: Annotated[list[str] | None, typer.Option(help="nur diese Zielgruppe (id)")] = None,
    state: Annotated[list[str] | None, typer.Option(help="nur dieses Land")] = None,
    size: Annotated[
        list[str] | None, typer.Option(help="landgemeinde, kleinstadt, mittelstadt, grossstadt, kreis")
    ] = None,
    impact: Annotated[str | None, typer.Option(help="mindestens promising, high oder proven")] = None,
    min_level: Annotated[int | None, typer.Option(min=0, max=7, help="Wirkungsstufe mindestens")] = None,
    min_evidence: Annotated[str | None, typer.Option(help="Evidenzgrad mindestens (0-5)")] = None,
    unknown: Annotated[str, typer.Option(help="Projekte ohne die gefilterte Angabe: keep oder drop")] = "keep",
    html: Annotated[Path | None, typer.Option(help="Antwort zusätzlich als eigene Seite")] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Projekte finden, die zur beschriebenen Lage passen."""
    from checkup.inputs import batch, read_text, refuse_beside_batch
    from checkup.inputs import output as written
    from matching.retrieve import Matcher
    from matching.situation import checked_text

    base = {
        "field": field, "group": group, "state": state, "size": size, "impact": impact, "min_level": min_level,
        "min_evidence": min_evidence, "unknown": unknown,
    }  # fmt: skip
    if input is not None:
        refuse_beside_batch(text, text_option, file, needs, html)
        matcher = Matcher(context.settings())
        _wanted({"text": ""}, matcher, base)
        return batch(input, output, lambda given: _told(matcher.match(_wanted(given, matcher, base), top=top)))
    given = read_text(text, text_option, file)
    readable = checked_text(given.text)  # before anything is loaded
    corrected = _needs_file(needs)
    matcher = Matcher(context.settings())
    query = _wanted({"text": given.text, "needs": corrected}, matcher, base)
    answer = _told(matcher.match(query, top=top))
    if given.from_file:
        answer["text"] = given.text
    if html is not None:
        from checkup.page import answer_page

        with written(str(html)) as page:
            page.write(answer_page(answer, readable, matcher.vocabulary))
        context.say(f"Antwort als Seite: {html}")
    _show(answer, given.text, matcher, json, output)
    return 0


def _told(answer: dict[str, Any]) -> dict[str, Any]:
    """The answer, after stderr has heard what its reader has to say."""
    context.tell_reader(answer)
    return answer


def write_answer(answer: dict[str, Any], output: str | None) -> None:
    """One answer as JSON, to standard output or to `--output`."""
    from checkup.inputs import output as opened

    with opened(output) as stream:
        stream.write(context.to_json(answer, indent=2) + "\n")


def _show(answer: dict[str, Any], text: str, matcher: "Matcher", json: bool, output: str | None) -> None:
    if json or output not in (None, "-"):
        write_answer(answer, output)
        return
    from checkup.console import print_answer

    print_answer(answer, text, matcher.vocabulary)


def analyse(
    text: Annotated[str | None, TEXT] = None,
    text_option: Annotated[str | None, TEXT_OPTION] = None,
    file: Annotated[Path | None, FILE] = None,
    input: Annotated[str | None, INPUT] = None,  # noqa: A002
    output: Annotated[str | None, OUTPUT] = None,
    json: Annotated[bool, JSON] = False,
) -> int:
    """Eine Lage lesen: Bedarfe, Vorhandenes, Grenzen, Zielgruppen, Ort."""
    from checkup.inputs import batch, read_text, refuse_beside_batch
    from matching.situation import Analyser, checked_text

    if input is not None:
        refuse_beside_batch(text, text_option, file)
        analyser = Analyser(context.settings())
        return batch(input, output, lambda given: _told({**analyser.analyse(given["text"]), "id": given.get("id")}))
    given = read_text(text, text_option, file)
    checked_text(given.text)  # before anything is loaded
    analyser = Analyser(context.settings())
    answer = _told({**analyser.analyse(given.text), "id": None})
    if given.from_file:
        answer["text"] = given.text
    if json or output not in (None, "-"):
        write_answer(answer, output)
    else:
        from checkup.reading_console import print_analysis

        print_analysis(answer, analyser.vocabulary)
    return 0
