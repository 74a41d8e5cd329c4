"""Names of organisations and of public givers of money in a text, by the words that such names are made of.

Below: `pipeline.nlp.rules`, `pipeline.nlp.lemmas`. Above: `pipeline.nlp.facts`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache, partial
from typing import TYPE_CHECKING, Literal

from pipeline.nlp.dictionary import is_known
from pipeline.nlp.kept_words import KEPT_WORDS
from pipeline.nlp.lemmas import Words
from pipeline.nlp.quantities import unit_of
from pipeline.nlp.rules import load_rules, word_ends, word_set

if TYPE_CHECKING:
    from spacy.tokens import Doc

Kind = Literal["named", "head", "closed", "ministry", "fund", "level", "legal", "programme", "carrier"]
"""What a word tells: a name by itself, the head of a name (`closed`: only with a proper name beside it), a ministry, a
fund, a level of the state, a legal form, a programme that carries its name in quotation marks, a word
that announces a carrier."""
_set = partial(word_set, "organisations")
_ends = partial(word_ends, "organisations")
_ENDINGS = ("", "s", "es", "en", "n", "e")
_OPENING = frozenset("„“\"»«‚'")
_CLOSING = frozenset("“”\"«»‘'")
_BRAND = re.compile(r"[A-ZÄÖÜ][a-zäöüß]{2,}[A-ZÄÖÜ][a-zäöüß]{2,}")
_LONGEST_QUOTED = 9
_LONGEST_NAME = 9
_ADJECTIVES = ("sche", "schen", "scher", "sches", "tsche", "tschen", "tscher", "tsches")
_NOUN_ENDINGS = ("ungen", "ung", "heit", "keit", "kurse", "kurs", "nde", "nden", "innen", "treffs", "plätze", "stellen")


@dataclass(frozen=True, slots=True)
class Name:
    """The tokens of a name, half-open, and what kind of word it was known by."""

    start: int
    end: int
    kind: Kind


@lru_cache(maxsize=KEPT_WORDS)
def kind_of(form: str) -> Kind | None:
    """What a lower-case form tells of the name it stands in."""
    for kind, words, ends in _tables():
        if form in words or (ends and form.endswith(ends)):
            return kind
    is_district = form.endswith(("kreis", "kreises")) and len(form) > 10 and not is_known(form.capitalize())
    return "named" if is_district and not form.startswith(("freund", "helfer", "arbeits")) else None


@cache
def _tables() -> tuple[tuple[Kind, frozenset[str], tuple[str, ...]], ...]:
    rules = load_rules("organisations")
    closed = set(rules["closed"])
    open_heads = [word for word in rules["heads"] if word not in closed]
    long_heads = [word for word in open_heads if len(word) > 4]
    return (
        ("legal", frozenset(rules["legal_forms"]), ()),
        ("fund", frozenset(rules["funds"]), ("integrationsfonds", "sozialfonds", "flüchtlingsfonds")),
        ("named", frozenset(rules["named"]), _inflected(["caritasverband", "diakonieverein"])),
        ("ministry", frozenset(rules["ministries"]), tuple(rules["ministries"])),
        ("programme", frozenset(rules["programme_words"]), ()),
        ("carrier", frozenset({"träger", "trägers", "trägerin"}), ()),
        ("head", frozenset(_inflected(word for word in open_heads if word != "hilfe")), _inflected(long_heads)),
        ("level", frozenset(rules["levels"]), ()),
        ("closed", frozenset(_inflected(closed)), _inflected(f"-{word}" for word in sorted(closed))),
    )


def _inflected(words: Iterable[str]) -> tuple[str, ...]:
    return tuple(f"{word}{ending}" for word in words for ending in _ENDINGS)


def find_names(doc: "Doc") -> list[Name]:
    """The names of a text in its order; of two that overlap the one that begins first."""
    found: list[Name] = []
    texts, legal = doc._.words.texts, _set("legal_forms")
    for at, form in enumerate(doc._.words.forms):
        registered = form == "e." and texts[at + 1 : at + 2] == ["V."]
        if not texts[at][0].isupper() and form not in legal and not registered:
            continue
        kind = "legal" if registered else kind_of(form)
        if kind is None and not (texts[at].islower() or texts[at].istitle()):
            kind = _abbreviation(texts, at)
        if kind is None or (found and (at < found[-1].end or _explains(texts, at, found[-1].end))):
            continue
        name = _Finder(doc, at, kind, found[-1].end if found else 0).name()
        if name is None:
            continue
        if found and name.start == found[-1].end and _is_one_name(found[-1].kind, name.kind):
            name = Name(found.pop().start, name.end, name.kind)
        found.append(name)
    return found


def _explains(texts: Sequence[str], at: int, end: int) -> bool:
    """Whether a word opens a bracket right after a name: `Integrationsfonds (AMIF)`, `bikup (Gesellschaft für …)`."""
    if at - end > _LONGEST_NAME:
        return False
    first = at
    while first > end and texts[first - 1][0].isupper():
        first -= 1
    return first == end + 1 and texts[end] == "("


def _is_one_name(first: Kind, second: Kind) -> bool:
    """Whether two names with nothing between them are one: `Diakonie` `Stiftung Salem`, `Verein Arche` `Ulm e.V.`."""
    return first in {"named", "head"} and second in {"head", "legal"}


def _abbreviation(texts: Sequence[str], at: int) -> Kind | None:
    """`der DAAD`, `der PariSozial`: capitals within a word after an article or a preposition that holds one."""
    text = texts[at]
    short = 3 <= len(text) <= 8 and text[0].isupper() and sum(map(str.isupper, text)) >= 3
    brand = _BRAND.fullmatch(text) is not None and not text.endswith(("Innen", "In"))
    if not text.isalpha() or not (short or brand):
        return None
    announced = at > 0 and texts[at - 1].lower() in _ANNOUNCE
    return "named" if announced and text.lower() not in _set("no_names") else None


class _Finder:
    """Reads the name around one word."""

    def __init__(self, doc: "Doc", at: int, kind: Kind, least: int) -> None:
        words: Words = doc._.words
        self.texts, self.forms, self.lemmas = words.texts, words.forms, words.lemmas
        self.at, self.kind, self.least = at, kind, least

    def name(self) -> Name | None:
        """The name, or None where the word is only a word (`der Verein`, `das Netzwerk`)."""
        if self.kind == "legal":
            return self._before_legal_form()
        if self.kind == "programme":
            return self._quoted()
        if self.forms[self.at].endswith(_ends("quoted_after")) and (quoted := self._quoted()):
            return quoted
        if self.kind == "carrier":
            return self._brand()
        start, end = self._left(), self._right(self.at + 1)
        kind = self._kind_of_span(start, end)
        return None if kind is None else Name(start, end, kind)

    def _kind_of_span(self, start: int, end: int) -> Kind | None:
        """What the span is; None where it names nobody: `der Verein`, `das Berliner Netzwerk`, `das Ministerium`."""
        form = self.forms[self.at]
        if form in _set("places") or (end - start == 1 and form in _set("levels")):
            return "closed" if start < self.at and _is_parish(form) else "level"
        if self.kind == "ministry":
            alone = start == self.at and end == self.at + 1
            return None if alone and form.startswith("minist") else "ministry"
        if self.kind not in {"head", "closed"}:
            return self.kind
        if end == self.at + 1 and form in _set("quoted_after"):
            plain = all(self.forms[before].endswith("er") for before in range(start, self.at))
            return None if plain else self.kind
        if form == "schulen":
            return None
        hyphens = self.texts[self.at][1:-1].count("-")
        hyphened = hyphens > 1 or (hyphens == 1 and self.kind == "head")
        return self.kind if end - start > 1 or hyphened else None

    def _brand(self) -> Name | None:
        """`der Träger Lawaetz-wohnen&leben`: a word after it that stands in no dictionary."""
        text = self.texts[self.at + 1] if self.at + 1 < len(self.texts) else ""
        is_brand = text[:1].isupper() and kind_of(text.lower()) is None and not is_known(text)
        return Name(self.at + 1, self.at + 2, "named") if is_brand else None

    def _left(self) -> int:
        """Where the name begins: capitals and adjectives of places before its head."""
        start = self.at
        while start - 1 >= self.least and self.at - start < _LONGEST_NAME and self._goes_before(start - 1):
            start -= 1
        while start - 2 >= self.least and self.at - start < _LONGEST_NAME and self._is_half(start - 2):
            start -= 2
        while start < self.at and self.forms[start] in _set("not_in_name"):
            start += 1
        return start

    def _is_half(self, at: int) -> bool:
        """`Asyl-, Migrations- und Integrationsfonds`: half a word and what joins it."""
        return self.texts[at].endswith("-") and self.forms[at + 1] in {"und", ","}

    def _goes_before(self, at: int) -> bool:
        text, form = self.texts[at], self.forms[at]
        if not text[0].isalpha() or form in _set("not_in_name"):
            return False
        if text[0].islower():
            inner = self.texts[at - 1][:1].isupper() if at else False
            return form.endswith(_ADJECTIVES) and (
                self.kind == "ministry" or (inner and _is_parish(self.forms[self.at]))
            )
        if self.kind in {"level", "fund"}:
            return form.endswith(_ADJECTIVES) and (self.kind == "fund" or self.forms[self.at].startswith("gemeinde"))
        is_adjective = form.endswith((*_ADJECTIVES, "er", "re", "ren", "rer", "le", "len", "les")) or form.startswith(
            ("frei", "ökumen", "rote")
        )
        named = self._is_proper(at) and "stiftung" in self.forms[self.at]
        return is_adjective or (self.kind == "head" and (named or (text.isupper() and len(text) > 1)))

    def _right(self, at: int) -> int:
        """One past the last word of the name that follows its head."""
        end = at
        while end < len(self.texts) and end - self.at < _LONGEST_NAME:
            step = self._step(end)
            if not step:
                break
            end += step
        return end

    def _step(self, at: int) -> int:
        """How many tokens from here on still belong to the name."""
        takes = self.kind in {"head", "ministry"} or self.forms[self.at].startswith("caritasverband")
        if self.forms[at] in _set("linkers") and takes and at == self.at + 1:
            return self._phrase(at)
        if self.forms[at] == "e." and self.forms[at + 1 : at + 2] == ["v."]:
            return 2
        if self.kind == "level" and self.forms[self.at] not in _LEVELS_WITH_NAME:
            return int(self.forms[at] in _set("legal_forms"))
        return 1 if self._is_part(at) else self._genitive(at)

    def _is_part(self, at: int) -> bool:
        """Whether one word goes on with the name: proper, a legal form, what follows `Deutscher`."""
        if self.forms[at] in _set("legal_forms") or self._is_proper(at):
            return True
        if self.forms[self.at] in _set("quoted_after") and at == self.at + 1:
            return self._is_capital(at)
        return at > self.at + 1 and self.forms[at - 1] in _NATIONAL and self.texts[at][0].isupper()

    def _genitive(self, at: int) -> int:
        """`des Saarlandes`, `des Kreises Heinsberg`: how many tokens."""
        if self.kind != "head" or at != self.at + 1 or at + 2 >= len(self.forms):
            return 0
        if self.forms[at : at + 2] == ["des", "saarlandes"]:
            return 2
        of_place = self.forms[at] in {"des", "der"} and kind_of(self.forms[at + 1]) in {"level", "closed"}
        return 3 if of_place and self._is_proper(at + 2) else 0

    def _is_capital(self, at: int) -> bool:
        return self.texts[at][0].isupper() and self.forms[at] not in _set("not_in_name") and len(self.texts[at]) > 1

    def _phrase(self, at: int) -> int:
        """`für Migration und Flüchtlinge`, `zur Förderung …`: words up to the last capital of the phrase."""
        end, last = at + 1, 0
        while end < len(self.texts) and end - at < _LONGEST_NAME:
            text, form = self.texts[end], self.forms[end]
            if text[0].isupper() and text[0].isalpha():
                last = end + 1 - at
                follows = self.forms[end + 1] if end + 1 < len(self.forms) else ""
                if follows not in _set("joins") and not self._capital_pair(end) and not self._lists(end + 1):
                    break
            elif (
                form not in _set("joins")
                and form != ","
                and not (form.endswith(("e", "en", "er", "es")) and end == at + 1)
            ):
                break
            end += 1
        return last

    def _lists(self, at: int) -> bool:
        """Whether a comma goes on with what a ministry is for: `für Familie, Senioren, Frauen und Jugend`."""
        step = at
        while step - at < _LONGEST_NAME and self.forms[step : step + 1] == [","] and self._is_capital_at(step + 1):
            step += 2
        joined = self.forms[step : step + 1] and self.forms[step] in _set("joins")
        return self.kind == "ministry" and step > at and bool(joined) and self._is_capital_at(step + 1)

    def _is_capital_at(self, at: int) -> bool:
        return at < len(self.texts) and self._is_capital(at)

    def _capital_pair(self, at: int) -> bool:
        """`Transkulturelle Medizin`: an adjective in capitals before its noun."""
        follows = self.texts[at + 1] if at + 1 < len(self.texts) else ""
        return self.forms[at].endswith(("le", "len", "sche", "schen", "ler")) and follows[:1].isupper()

    def _is_proper(self, at: int) -> bool:
        """Whether a word in capitals can belong to a name: no plural, no noun of an activity, no counted thing."""
        if not 0 <= at < len(self.texts):
            return False
        text, form, lemma = self.texts[at], self.forms[at], self.lemmas[at]
        if form == "st." or not text[0].isupper() or not text[-1].isalnum() or form in _set("not_in_name"):
            return form == "st."
        if form in _set("closed") or (self.kind == "closed" and at > self.at and "-" not in text and is_known(text)):
            return False
        if text.isupper() or not text[1:].islower() or self.forms[at - 1 : at + 1] == ["aktion", "mensch"]:
            return True
        if self.forms[at - 1 : at] == ["bad"]:
            return True
        plural = form != lemma and not form.endswith(("er", "s")) and not lemma.endswith("e")
        return not (plural or form.endswith(_NOUN_ENDINGS) or unit_of(form, lemma) is not None)

    def _before_legal_form(self) -> Name | None:
        """`milaa gGmbH`: back over capitals and joining words; lower case only right before the form."""
        start = self.at
        while start - 1 >= self.least and self.at - start < _LONGEST_NAME:
            text, form = self.texts[start - 1], self.forms[start - 1]
            joins = form in _set("linkers") or form in _set("joins") or form in {"in", "im"}
            brand = start == self.at and text[0].isalpha() and form not in _set("not_in_name")
            if not (joins or brand or (text[0].isupper() and form not in _set("not_in_name"))):
                break
            start -= 1
        while start < self.at and not (self.texts[start][0].isupper() or start == self.at - 1):
            start += 1
        end = self.at + (2 if self.forms[self.at] == "e." else 1)
        return Name(start, end, "legal") if start < self.at else None

    def _quoted(self) -> Name | None:
        """What stands in quotation marks right after the word; of a programme its words in capitals do as well."""
        first = self.at + 1
        if self.texts[first : first + 1] and self.texts[first] in _OPENING:
            for end in range(first + 1, min(first + 1 + _LONGEST_QUOTED, len(self.texts))):
                if self.texts[end] in _CLOSING and end > first + 1:
                    kind: Kind = "fund" if self.kind == "programme" else "named"
                    return Name(first + 1, end, kind)
        if self.kind == "programme" and first < len(self.texts) and self._is_capital(first):
            joined = self.forms[first + 1 : first + 2] and self.forms[first + 1] in {"im", "in", "für", "durch"}
            more = joined and first + 2 < len(self.texts) and self._is_capital(first + 2)
            return Name(first, first + 3 if more else first + 1, "fund")
        return None


_ANNOUNCE = frozenset({"der", "die", "das", "des", "vom", "beim", "von", "bei"})
_NATIONAL = frozenset({"deutscher", "evangelischer", "katholischer", "jüdischer", "deutsche"})
_LEVELS_WITH_NAME = frozenset({"land", "landes", "stadt", "kreis", "landkreis", "freistaat", "freistaats", "kreises",
                               "landkreises", "gemeinde", "bezirk", "jobcenter", "arbeitsagentur"})  # fmt: skip


def _is_parish(form: str) -> bool:
    return form.startswith(("gemeinde", "kirche"))
