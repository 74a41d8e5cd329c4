"""An own reader (docs/own-reader.md) that asks a language model on this very computer; standard library only.

It speaks the chat interface that llama.cpp, Ollama, LM Studio and vLLM offer, and goes to loopback addresses only. The
model never writes offsets: sentences are numbered here, it answers with numbers, and the spans are those of the
sentences. Settings: LOCAL_MODEL_URL, LOCAL_MODEL_NAME.
"""

import json
import os
import re
import sys
import urllib.error
import urllib.request
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

URL = os.environ.get("LOCAL_MODEL_URL", "http://127.0.0.1:11434/v1/chat/completions")
MODEL = os.environ.get("LOCAL_MODEL_NAME", "local")
LOOPBACK = ("127.0.0.1", "localhost", "::1")
SENTENCE = re.compile(r"\S(?:[^.!?\n]|[.!?](?=\S))*[.!?]*")

SITUATION = """Sie lesen die Beschreibung, mit der eine deutsche Kommune ihre Lage bei der Integration Zugewanderter
schildert. Die Sätze sind nummeriert. Antworten Sie nur mit einem JSON-Objekt:
{"urteil": "klar" oder "vage" oder "anderes_thema",
 "bedarfe": [{"satz": Nummer, "feld": Handlungsfeld}],
 "vorhanden": [{"satz": Nummer, "feld": Handlungsfeld}],
 "grenzen": [{"satz": Nummer, "art": "money" oder "staff" oder "time" oder "space" oder "distance" oder "law"}],
 "gruppen": [Zielgruppe]}
„bedarfe“: Sätze, die sagen, was fehlt, nicht gelingt oder wen ein Angebot nicht erreicht.
„vorhanden“: Sätze über Angebote, die gut laufen. „grenzen“: Sätze über fehlendes Geld, Personal, Zeit, Raum, weite Wege
oder das Recht. „vage“: kein bestimmtes Problem. „anderes_thema“: nichts über Zugewanderte.
Jeder Satz steht höchstens einmal unter „bedarfe“ oder „vorhanden“; Sätze, die nur Hintergrund schildern, bleiben weg.
Handlungsfelder: FIELDS
Zielgruppen: GROUPS"""

NEEDS = """Ordnen Sie jedem der nummerierten Sätze aus der Lagebeschreibung einer Kommune den Bedarf aus der Liste zu,
den er am genauesten meint. Achten Sie darauf, wen er betrifft und woran es hängt. Antworten Sie nur mit einem
JSON-Objekt: {"bedarfe": [{"satz": Nummer, "bedarf": Kennung, "sicher": Zahl von 0 bis 1,
"gewicht": Zahl von 0 bis 1 (1: Kern der Lage, 0.3: am Rande erwähnt), "andere": [bis zu drei weitere Kennungen]}]}
Passt keiner, bleibt der Satz weg. Erfinden Sie keine Kennungen.
Liste (Kennung: Bedarf):
NEEDS"""


class StayHere(urllib.request.HTTPRedirectHandler):
    """Follows no redirect: it could lead off this computer."""

    def redirect_request(self, *_: Any) -> None:
        """No request at all; the answer counts as an error."""


def ask_model(system: str, user: str) -> dict[str, Any]:
    """The JSON object in the model's answer."""
    if urlsplit(URL).hostname not in LOOPBACK:
        sys.exit(f"LOCAL_MODEL_URL zeigt nicht auf diesen Rechner: {URL}")
    messages = [{"role": "system", "content": system}, {"role": "user", "content": user}]
    body = json.dumps({"model": MODEL, "temperature": 0, "messages": messages}).encode("utf-8")
    request = urllib.request.Request(URL, body, {"Content-Type": "application/json"})
    # No proxy: one that the environment names would see the text.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), StayHere)
    try:
        with opener.open(request, timeout=600) as answer:
            content = json.load(answer)["choices"][0]["message"]["content"]
    except (urllib.error.URLError, ValueError, LookupError, TypeError) as error:
        sys.exit(f"Der Modellserver {URL} antwortet nicht wie erwartet: {error}")
    try:
        return dict(json.loads(content[content.index("{") : content.rindex("}") + 1]))
    except ValueError:
        sys.exit(f"Das Modell antwortete nicht mit JSON: {content[:200]}")


class Situation:
    """A text with its sentences numbered from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.spans = [match.span() for match in SENTENCE.finditer(text)]

    def lines(self, numbers: Iterable[int]) -> str:
        """Sentences with their numbers, one a line."""
        return "\n".join(f"{n}. {' '.join(self.text[slice(*self.spans[n - 1])].split())}" for n in numbers)

    def place(self, item: dict[str, Any]) -> dict[str, Any]:
        """The span of the sentence that the model named; without one the item will be refused by name."""
        number = item.get("satz")
        if not isinstance(number, int) or not 1 <= number <= len(self.spans):
            return {"statement": f"Satz {number}"}
        start, end = self.spans[number - 1]
        return {"start": start, "end": end, "statement": self.text[start:end]}


def name_needs(situation: Situation, found: list[dict[str, Any]], vocabulary: dict[str, Any]) -> list[dict[str, Any]]:
    """The needs of the sentences that state one: one question a field, so that the list stays short."""
    needs = []
    for field in vocabulary["action_fields"]:
        numbers = sorted({item["satz"] for item in found if item["feld"] == field and "start" in situation.place(item)})
        if not numbers:
            continue
        listed = "\n".join(f"{need['id']}: {need['title']}" for need in vocabulary["needs"] if need["field"] == field)
        named = ask_model(NEEDS.replace("NEEDS", listed), situation.lines(numbers))
        needs += [
            {
                **situation.place(item), "need_id": item["bedarf"], "confidence": item.get("sicher"),
                "weight": item.get("gewicht"),
                "alternatives": [{"need_id": name, "confidence": 0.2} for name in item.get("andere", [])],
            }
            for item in named["bedarfe"]
        ]  # fmt: skip
    return needs


def main() -> None:
    """Reads the request, asks for the roles, then for the needs, and writes the answer."""
    request = json.loads(sys.stdin.buffer.read().decode("utf-8"))
    situation, vocabulary = Situation(request["text"]), request["vocabulary"]
    system = SITUATION.replace("FIELDS", ", ".join(vocabulary["action_fields"]))
    system = system.replace("GROUPS", ", ".join(vocabulary["target_groups"]))
    read = ask_model(system, situation.lines(range(1, len(situation.spans) + 1)))
    answer: dict[str, Any] = {
        "answerable": read["urteil"] == "klar",
        "existing": [{**situation.place(item), "field": item["feld"]} for item in read.get("vorhanden", [])],
        "limits": [{**situation.place(item), "kind": item["art"]} for item in read.get("grenzen", [])],
        "target_groups": [{"id": name} for name in read.get("gruppen", [])],
    }
    if answer["answerable"]:
        answer["needs"] = name_needs(situation, read["bedarfe"], vocabulary)
    else:
        answer["unanswerable_because"] = "vague" if read["urteil"] == "vage" else "off_topic"
    sys.stdout.buffer.write(json.dumps(answer, ensure_ascii=False).encode("utf-8"))


if __name__ == "__main__":
    main()
