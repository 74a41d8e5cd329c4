"""Further facts of a project: who runs it, who pays, when, with whom, in which languages, and where to write to.

Below: `pipeline.nlp.organisations`, `pipeline.nlp.fact_years`, `pipeline.nlp.fact_people`.
Above: `pipeline.nlp.readings`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache, partial
from typing import TYPE_CHECKING

from pipeline.nlp.claim_rules import cues_by_clause
from pipeline.nlp.contact_data import is_function_mailbox
from pipeline.nlp.fact_people import languages, staff, volunteers
from pipeline.nlp.fact_years import duration, told_of, years
from pipeline.nlp.lemmas import Words
from pipeline.nlp.organisations import Name, find_names
from pipeline.nlp.rules import word_ends, word_set
from pipeline.nlp.scalars import Fact
from pipeline.nlp.sentences import sentence_of
from pipeline.nlp.words import is_verb

if TYPE_CHECKING:
    from spacy.tokens import Doc

FACTS = (
    "organisation", "funder", "start_year", "end_year", "duration_months", "staff", "volunteers", "yearly_cost_eur",
    "languages", "contact",
)  # fmt: skip
"""The properties that this component tells."""
_set = partial(word_set, "organisations")
_ends = partial(word_ends, "organisations")
_MOST_NAMES = 5
"""So many carriers and so many funders are told, those that stand first."""
_ARTICLES = frozenset(
    {
        "der", "die", "das", "dem", "den", "des", "ein", "eine", "einem", "einen", "einer", "eines", "ihr", "ihre",
        "ihren", "ihrem", "sein", "seine", "seinem",
    }
)  # fmt: skip
_ADJECTIVE_ENDINGS = ("e", "en", "er", "es", "em")
_QUOTES = frozenset('„“»«"')
_CHAIN = frozenset({"und", ",", "sowie", "oder", "/"})
_YEARLY = (["im", "jahr"], ["pro", "jahr"], ["je", "jahr"], ["jährlich"], ["per", "year"], ["a", "year"])
_LEAST_COST = 1000
_PASSIVE = frozenset({"wird", "werden", "wurde", "wurden", "worden"})
_FAR = 16
"""Words of a list before a name over which its preposition is looked for."""


def find_facts(doc: "Doc") -> "Doc":
    """Component `checkup_facts`: adds to `doc._.facts` what is told of carrier, funder, years, staff and so on."""
    labels = cues_by_clause(doc, "facts")
    names = find_names(doc)
    roles = _Roles(doc, names, labels)
    payers = list(roles.funders())
    doc._.facts = [
        *doc._.facts,
        *_distinct(doc, "organisation", roles.carriers(payers)),
        *_distinct(doc, "funder", payers),
        *years(doc, labels),
        *duration(doc, labels),
        *staff(doc),
        *volunteers(doc, labels),
        *_yearly_cost(doc),
        *languages(doc),
        *_contact(doc),
    ]
    return doc


def _distinct(doc: "Doc", name: str, found: Iterable[Name]) -> Iterator[Fact]:
    """One fact per name; the fuller of two spellings counts (`AWO`, `AWO Region Hannover`)."""
    kept: dict[str, Fact] = {}
    for item in found:
        value = " ".join(doc._.words.texts[item.start : item.end])
        stems = _stems(value)
        same = next((key for key in kept if (known := _stems(key)) <= stems or stems <= known), None)
        if same is not None and len(same) >= len(value):
            continue
        if same is not None:
            del kept[same]
        kept[value] = Fact(name, value, item.start, item.end)
    yield from sorted(kept.values(), key=lambda fact: fact.start)[:_MOST_NAMES]


def _stems(value: str) -> frozenset[str]:
    """The words of a name without the endings of case."""
    words = (
        word.removesuffix("es").removesuffix("s").removesuffix("n").removesuffix("e") for word in value.lower().split()
    )
    return frozenset(words)


class _Roles:
    """Sorts the names of a text by what their clause and their preposition say of them."""

    def __init__(self, doc: "Doc", names: list[Name], labels: Mapping[int, set[str]]) -> None:
        words: Words = doc._.words
        self.names, self.labels = names, labels
        self.forms, self.texts, self.lemmas = words.forms, words.texts, words.lemmas
        self.clauses, self.clause_of, self.sentences = doc._.clauses, doc._.clause_of, doc._.sentences
        self.title_end: int = doc._.title_tokens
        self._ends = {name.end: name for name in names}
        self._starts = {name: sentence_of(doc, name.start)[0] for name in names}
        self._labels = {name: told_of(self.clauses, labels, self.clause_of[name.start]) for name in names}
        self._prepositions = {name: self._before(name) for name in names}

    def carriers(self, payers: Collection[Name]) -> Iterator[Name]:
        """Who runs the project; who pays for it does not."""
        for name in self.names:
            if name in payers or name.kind in {"ministry", "fund"}:
                continue
            if name.kind == "level":
                if name.end - name.start > 1 and self._acts(name):
                    yield name
            elif self._runs(name):
                yield name

    def funders(self) -> Iterator[Name]:
        """Who pays for it."""
        for name in self.names:
            told = self._labels[name]
            if self._status(name) == "negated" or name.start < self.title_end:
                continue
            before, at = self._prepositions[name]
            if (name.kind == "fund" and self._is_european(name)) or self._is_of_money(name, before, at):
                yield name
            elif "prize" in told or self._is_by_who_runs(name, before):
                continue
            elif before in _set("before_taker"):
                if told & {"funded"} or ("money_of" in told and before in {"von", "vom", "aus"} and self._comes(name)):
                    yield name
            elif (
                "funds" in told
                and "judges" not in told
                and before not in _set("before_other")
                and not (before in {"der", "des"} and at)
                and not self._is_paid(name)
            ):
                yield name

    def _is_by_who_runs(self, name: Name, before: str) -> bool:
        """`wird von der Stadtmission betrieben und vom Senat finanziert`: what is paid follows in another clause."""
        own = self.labels.get(self.clause_of[name.start], set())
        return before in {"von", "vom", "durch"} and "runs" in own and "funded" not in own

    def _is_of_money(self, name: Name, before: str, at: int) -> bool:
        """`Mittel des Landes`, `Förderung durch das Land`; also `im Rahmen des Bundesprogramms „…“ gefördert`."""
        noun = self.forms[at - 1] if before in {"der", "des", "durch"} and at else ""
        within = noun == "rahmen" and name.kind == "fund" and "funded" in self._labels[name]
        return within or noun in word_set("facts_words", "money_nouns")

    def _is_paid(self, name: Name) -> bool:
        """Whether a clause says by whom something is paid, so that its subject is what is paid: `wird gefördert`."""
        start, end = self._span(name)
        return "funded" in self._labels[name] and not _PASSIVE.isdisjoint(self.forms[start:end])

    def _is_european(self, name: Name) -> bool:
        return any(form in _set("funds") for form in self._words(name))

    def _comes(self, name: Name) -> bool:
        """`Das Geld kam von …`."""
        start, end = self._span(name)
        return not {"kommt", "kam", "kommen", "kamen", "stammt", "stammte", "stammen", "gab"}.isdisjoint(
            self.forms[start:end]
        )

    def _span(self, name: Name) -> tuple[int, int]:
        clause = self.clauses[self.clause_of[name.start]]
        return clause.spans[0][0], clause.spans[-1][1]

    def _status(self, name: Name) -> str:
        return str(self.clauses[self.clause_of[name.start]].ruled)

    def _runs(self, name: Name) -> bool:
        before, at = self._prepositions[name]
        told = self._labels[name]
        if name.start < self.title_end:
            return self._runs_by_title(name, before)
        of_noun = self.texts[at - 1] if before in {"der", "des"} and at else ""
        if self._status(name) == "other" or ("judges" in told and of_noun not in _QUOTES):
            return self._status(name) != "other" and self._won(name, before)
        if of_noun:
            return of_noun in _QUOTES or (of_noun[0].isupper() and of_noun.lower() not in _set("roles_of"))
        runs = "runs" in told
        if before in {"bei", "beim", "durch", "von", "vom", "unter"}:
            return runs or (before in {"bei", "beim"} and self._opens(name))
        housed = before in {"an", "im", "in"} and any(form.endswith(_ends("houses")) for form in self._words(name))
        return (runs or self._opens(name)) and (housed or before not in _set("before_other") | {"aus", "durch"})

    def _runs_by_title(self, name: Name, before: str) -> bool:
        itself = name.start == 0 and any(form.endswith(_ends("projects")) for form in self._words(name))
        phrase = not _set("linkers").isdisjoint(self._words(name)) and name.start < 3
        return not (itself or phrase) and before not in _set("before_other") - {"bei", "beim"}

    def _won(self, name: Name, before: str) -> bool:
        """Whether it is who was honoured: `Ausgezeichnet wurde der Verein …`."""
        start, end = self._span(name)
        said = set(self.forms[start:end])
        honoured = "ausgezeichnet" in said and not said.isdisjoint({"wurde", "wurden", "worden"})
        whole = name.start == start or self.forms[name.start - 1] in _ARTICLES
        other = _set("before_other") | _set("before_taker") | _CHAIN | {"der", "des", "unter"}
        return honoured and whole and before not in other

    def _words(self, name: Name) -> list[str]:
        return self.forms[name.start : name.end]

    def _opens(self, name: Name) -> bool:
        """Whether a name stands in the first sentence of the text."""
        first = next((start for start, _ in self.sentences if start >= self.title_end), 0)
        return self._starts[name] == first

    def _acts(self, name: Name) -> bool:
        """Whether a town or a district is who runs it, not only where it is."""
        before, _ = self._prepositions[name]
        told = self._labels[name]
        if "judges" in told or before in _set("before_other") | {"("} or name.start < self.title_end:
            return False
        return "runs" in told

    def _before(self, name: Name, depth: int = 0) -> tuple[str, int]:
        """The preposition before a name or the chain it is in (or `der`, `des` in the genitive), with its position."""
        at = name.start - 1
        first = self._starts[name]
        while at >= first and self.forms[at] in _set("programme_words") | _QUOTES:
            at -= 1
        while at >= first and self._is_attribute(at):
            at -= 1
            if self.forms[at + 1] in _ARTICLES:
                break
        if at < first:
            return "", -1
        other = self._ends.get(at)
        if self.forms[at] in _CHAIN and other is not None and depth < _MOST_NAMES:
            return self._before(other, depth + 1)
        if self.forms[at] in _CHAIN and (listed := self._before_list(at, first)):
            return listed
        article = self.forms[at + 1] if at + 1 < name.start else ""
        noun = self.texts[at][0].isupper() and self.texts[at][0].isalpha() and self._can_be_noun(at)
        genitive = article in {"der", "des"} and (noun or self.texts[at] in _QUOTES)
        return (article, at + 1) if genitive else (self.forms[at], at)

    def _before_list(self, at: int, first: int) -> tuple[str, int] | None:
        """`mit` before a list whose first members are no names: `mit den Jobcentern und der Bundesagentur`."""
        for step in range(at, max(first, at - _FAR) - 1, -1):
            form, text = self.forms[step], self.texts[step]
            if form == "mit":
                return form, step
            adjective = form.endswith(_ADJECTIVE_ENDINGS) and not is_verb(form, self.lemmas[step])
            if not (form in _CHAIN or text[0].isupper() or form in _ARTICLES or adjective):
                return None
        return None

    def _can_be_noun(self, at: int) -> bool:
        return self.forms[at] in word_set("facts_words", "money_nouns") or self.forms[at] not in _not_adjectives()

    def _is_attribute(self, at: int) -> bool:
        form, text = self.forms[at], self.texts[at]
        return (
            form in _ARTICLES
            or text in _QUOTES
            or (text[0].islower() and form.endswith(_ADJECTIVE_ENDINGS) and form not in _not_adjectives())
        )


def _yearly_cost(doc: "Doc") -> Iterator[Fact]:
    """A sum that the text itself calls a yearly one, right before or after it."""
    words: Words = doc._.words
    refused = {doc._.clause_of[cue.start] for cue in doc._.cues if cue.table == "money" and cue.label == "no_budget"}
    for quantity in doc._.quantities:
        if quantity.unit != "money" or quantity.most < _LEAST_COST or doc._.clause_of[quantity.start] in refused:
            continue
        after = words.forms[quantity.end : quantity.end + 3]
        before = words.forms[max(0, quantity.start - 3) : quantity.start]
        dated = after[:2] == ["im", "jahr"] and len(after) > 2 and after[2][0].isdigit()
        if not dated and (any(after[: len(tail)] == tail for tail in _YEARLY) or "jährlich" in before):
            yield Fact("yearly_cost_eur", _whole(quantity.most), quantity.start, quantity.end)
            return


def _whole(number: float) -> float:
    return int(number) if number == int(number) else number


def _contact(doc: "Doc") -> Iterator[Fact]:
    """The first function mailbox; other addresses are personal data (`pipeline.nlp.contact_data`)."""
    for at, text in enumerate(doc._.words.texts):
        if "@" in text and is_function_mailbox(text.strip(".,;:()<>")):
            yield Fact("contact", text, at, at + 1)
            return


@cache
def _not_adjectives() -> frozenset[str]:
    return _set("not_in_name") | _set("before_other") | _set("before_taker")
