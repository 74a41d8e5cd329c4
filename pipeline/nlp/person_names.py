"""Names of persons in a text, found by given names, titles, offices, quoting verbs, contact data and earlier mentions.

In doubt a word is a name; the words of institutions' names never are. Below: `pipeline.nlp.memorial_names`,
`pipeline.nlp.name_words`,
`pipeline.nlp.name_lists`. Above: `pipeline.nlp.privacy`.
"""

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from pipeline.nlp.memorial_names import kept_words
from pipeline.nlp.name_cues import Cues
from pipeline.nlp.name_lists import attendance
from pipeline.nlp.name_tables import fold, tables
from pipeline.nlp.name_tokens import Mark, Tokens, is_word, read_tokens
from pipeline.nlp.name_words import NameWords

_NAME = Mark.GIVEN | Mark.AMBIGUOUS
_LONGEST = 6
_PLACING = {"in", "aus", "nach", "im"}
_WANTED = Mark.CAPITAL | Mark.PARTICLE
_SPLIT = re.compile(r"[._+\d-]+")
_LIST = re.compile(
    r"\s{0,2}(?:\([^()\n]{1,40}\))?\s{0,2}(?:[,;&/]\s{0,2}(?:(?:und|sowie)\s)?|(?:und|sowie|oder)\s)(?:\r?\n)?\s{0,2}"
)
_BACK = re.compile(r", ?|\s(?:und|sowie)\s")
_CAPITAL_PARTICLES = frozenset(
    ["da", "de", "di", "del", "della", "lo", "la", "le", "al", "el", "ben", "bin", "abu", "van", "von", "dos"]
)
_ENGLISH = frozenset(
    [
        "my",
        "by",
        "the",
        "at",
        "on",
        "of",
        "to",
        "our",
        "his",
        "her",
        "when",
        "this",
        "that",
        "for",
        "with",
        "from",
        "and",
    ]
)
_AFTER_SURNAME_FIRST = re.compile(r"\s*(?:$|\n|[(;/|,.–]|und\b|Tel|Zimmer)")
_BEFORE_SURNAME_FIRST = re.compile(r"(?:^|[\n:;•|/*(]|\bund|\bsowie)\s*(?:[-–•*]\s*)?$")
_MONTHS = frozenset(
    ["april", "mai", "juni", "juli", "august", "märz", "sommer", "winter", "herbst", "sonntag", "montag", "freitag"]
)


def person_names(
    text: str, contacts: Sequence[tuple[int, int]], mail_locals: Iterable[str] = ()
) -> Iterator[tuple[int, int]]:
    """The spans of names of persons, in order; they may overlap.

    Args:
        text: The text.
        contacts: Spans of phone numbers and private mail addresses, in order.
        mail_locals: What stands before the @ of the private mail addresses: names are spelt there.
    """
    finder = _Finder(read_tokens(text), contacts, mail_locals)
    for first, last in finder.found():
        yield finder.tokens.starts[first], finder.words.end(last)


class _Finder:
    """One text's search; `found` gives ranges of words, both ends included."""

    def __init__(self, tokens: Tokens, contacts: Sequence[tuple[int, int]], mail_locals: Iterable[str]) -> None:
        self.tokens = tokens
        self._contacts = [start for start, _ in contacts]
        self._inside = _inside(tokens, contacts)
        self._kept = kept_words(tokens) | self._inside
        self._cues = Cues(tokens, self._kept)
        self.words = NameWords(tokens, self._kept, self._cues)
        self._mail = {fold(part) for local in mail_locals for part in _SPLIT.split(local) if len(part) >= 3}
        self._names: list[tuple[int, int]] = []

    def found(self) -> list[tuple[int, int]]:
        """All names, in order of the text."""
        at = 0
        tokens = self.tokens
        while at < len(tokens):
            last = self._name_at(at) if tokens.marks[at] & _WANTED else None
            if last is None:
                at += 1
                continue
            first = self._reach_back(at)
            self._names += self._precede_list(first)
            self._names.append((first, last))
            at = self._follow_list(at, last) + 1
        self._names += attendance(tokens, self._kept)
        self._names += self._again()
        return sorted(self._names)

    def _name_at(self, token: int) -> int | None:
        """The last word of a name that begins here, or None."""
        tokens = self.tokens
        marks = tokens.marks[token]
        if token in self._kept:
            return None
        if marks & Mark.COMMON and not marks & (_NAME | Mark.SURNAME | Mark.INITIAL):
            return self._by_title_alone(token)
        if not marks & Mark.CAPITAL:
            return self.words.extend(token) if self._opens_with_particle(token) else None
        last = self._by_given(token) if marks & _NAME else None
        if last is None and self._spelt_in_mail(token):
            last = self.words.run(token, strict=False) or token
        if last is None:
            last = self._surname_first(token)
        if last is None and marks & Mark.INITIAL:
            last = self._by_initial(token)
        return self._by_cue(token) if last is None else last

    def _by_title_alone(self, token: int) -> int | None:
        """A word of the language that only its title makes a name: `Frau Bäcker`, `Ratsmitglied Kraut (SPD)`."""
        before = self.tokens.marks[token - 1] if token else 0
        if not before & (Mark.TITLE | Mark.ROLE):
            return None
        return token if self._cues.saluted(token) or self._cues.of_party(token) else None

    def _by_given(self, token: int) -> int | None:
        tokens = self.tokens
        last = self.words.extend(token)
        if last > token:
            if tokens.is_(token, Mark.GIVEN) or self._cues.any_before(token):
                return last
            second = tokens.lower(last)
            common = tokens.is_(last, Mark.COMMON) and second in _MONTHS
            return (
                None
                if common or (not tokens.namely(last, strict=True) and not tokens.is_(last, Mark.INITIAL))
                else last
            )
        if tokens.is_(token, Mark.GIVEN):
            return (
                None
                if self._is_title(token) or (tokens.words[token].isupper() and not self._cues.any_before(token))
                else token
            )
        return token if self._cues.any_before(token) or self._cues.aged(token) else None

    def _opens_with_particle(self, token: int) -> bool:
        """`Frau van der Velde`, `Herr al-Khatib`."""
        tokens = self.tokens
        if not tokens.is_(token, Mark.PARTICLE) or tokens.lower(token) in {"und", "zum", "zur", "vom", "den", "das"}:
            return False
        return self._cues.titled(token) and ("-" in tokens.words[token] or self.words.particle(token, strict=True))

    def _is_title(self, token: int) -> bool:
        """`Amal – Berufe für Frauen`: a word that opens the text and is explained is the name of a project."""
        return token == 0 and self.tokens.gap(token).lstrip()[:1] in {"–", "-", ":", "—"}

    def _by_initial(self, token: int) -> int | None:
        tokens = self.tokens
        if tokens.text[tokens.end(token) : tokens.end(token) + 1] != ".":
            return token if self._cues.titled(token) else None
        before = tokens.text[max(0, tokens.starts[token] - 4) : tokens.starts[token]]
        if self._cues.titled(token):
            return self.words.extend(token)
        if re.search(r"(?:^|[\s(])[a-z]\. ?$", before):
            return None
        if (
            tokens.is_(token - 1, Mark.INITIAL)
            and tokens.is_(token - 2, Mark.INITIAL)
            and tokens.is_(token - 3, Mark.INITIAL)
        ):
            return None
        last = self.words.extend(token)
        while last > token and not tokens.namely(last, strict=True):
            last -= 1
        return last if last > token else None

    def _by_cue(self, token: int) -> int | None:
        """A word that only its surroundings call a name."""
        tokens, cues, words = self.tokens, self._cues, self.words
        if tokens.namely(token, strict=False) and cues.titled(token):
            return words.extend(token)
        if not tokens.namely(token, strict=True):
            rare = tokens.namely(token, strict=False) and tokens.is_(token - 1, Mark.CAPITAL) and cues.offices(token)
            return words.extend(token) if rare and not is_word(tokens.words[token]) else None
        if cues.offices(token) or cues.colon(token) or (cues.signed(token) and not tokens.is_(token, Mark.ROLE)):
            return words.extend(token)
        if cues.quoted(token) and words.is_unknown(token):
            return words.extend(token)
        return self._by_what_follows(token)

    def _by_what_follows(self, token: int) -> int | None:
        """A word or a run of words with an age, a verb of speech or contact data after it, or that nobody knows."""
        tokens, cues, words = self.tokens, self._cues, self.words
        run = words.run(token, strict=True)
        last = run if run is not None else token
        called = not tokens.is_(token, Mark.ROLE) and words.is_unknown(token) and cues.called(token, last)
        if called or words.is_pair(token, run) or cues.aged(last):
            return last
        if cues.speaks(last) and not tokens.is_(last, Mark.COMMON) and words.is_unknown(last):
            return last
        return run if run is not None and self._contact_follows(run) else None

    def _surname_first(self, token: int) -> int | None:
        """`Huber, Maria` at the beginning of an entry."""
        tokens = self.tokens
        if not tokens.namely(token, strict=False) or token + 1 >= len(tokens) or not tokens.is_(token + 1, _NAME):
            return None
        if tokens.gap(token) not in {", ", ","} or token + 1 in self._kept:
            return None
        last = self.words.extend(token + 1)
        start = tokens.starts[token]
        if not _BEFORE_SURNAME_FIRST.search(tokens.text[max(0, start - 12) : start]):
            return None
        return (
            last if _AFTER_SURNAME_FIRST.match(tokens.text[self.words.end(last) : self.words.end(last) + 12]) else None
        )

    def _spelt_in_mail(self, token: int) -> bool:
        tokens = self.tokens
        if not self._mail or tokens.is_(token, Mark.ACRONYM) or len(tokens.words[token]) < 3:
            return False
        if tokens.is_(token, Mark.COMMON) and not tokens.is_(token, _NAME | Mark.SURNAME):
            return False
        parts = [fold(part) for part in tokens.words[token].split("-")]
        return any(part in self._mail for part in parts) or "".join(parts) in self._mail

    def _contact_follows(self, last: int) -> bool:
        """Whether a number, a mail address or a word for them stands right after, an office between at most."""
        return (
            self._cues.contact_word_follows(last)
            or self._contact_within(self.words.end(last), 4)
            or (
                self.tokens.is_(last + 1, Mark.ROLE | Mark.LEAD | Mark.COMMON)
                and self.tokens.gap(last).strip() in {",", "(", "–"}
                and self._contact_within(self.tokens.end(min(last + 1, len(self.tokens) - 1)), 4)
            )
        )

    def _contact_within(self, end: int, distance: int) -> bool:
        at = bisect_left(self._contacts, end)
        return at < len(self._contacts) and self._contacts[at] - end <= distance

    def _reach_back(self, token: int) -> int:
        """The first word of a name whose known part begins here: `Auch Vu Duc Thanh`."""
        tokens = self.tokens
        first = token
        while token - first < 2 and first and tokens.joined(first - 1, line=True) and self._is_free(first - 1):
            if (
                tokens.is_(first - 1, Mark.COMMON)
                or tokens.lower(first - 1) in _ENGLISH
                or not self.words.is_unknown(first - 1)
            ):
                break
            first -= 1
        return first

    def _is_free(self, token: int) -> bool:
        """Whether a word may belong to a name and no name found so far holds it."""
        tokens = self.tokens
        if token < 0 or token in self._kept or (self._names and self._names[-1][1] >= token):
            return False
        return tokens.namely(token, strict=True) and not tokens.is_(token, Mark.LEAD | Mark.HEAD | Mark.ROLE)

    def _precede_list(self, first: int) -> list[tuple[int, int]]:
        """Unknown names right before a found one, in order: `Tjarke Brunz, Xy Zett und Maria Huber`."""
        tokens = self.tokens
        names: list[tuple[int, int]] = []
        for _ in range(_LONGEST):
            before = first - 1
            if tokens.lower(before) in {"und", "sowie"}:
                before -= 1
            if before < 0 or not _BACK.fullmatch(tokens.text[tokens.end(before) : tokens.starts[first]]):
                break
            if not self._is_free(before) or tokens.is_(before, Mark.COMMON):
                break
            start = self._reach_back(before)
            if start == before and not self.words.is_unknown(before):
                break
            if tokens.lower(start - 1) in _PLACING or (
                tokens.joined(start - 1)
                and tokens.is_(start - 1, Mark.CAPITAL)
                and not tokens.is_(start - 1, Mark.ROLE)
            ):
                break
            names.append((start, before))
            first = start
        return names[::-1]

    def _follow_list(self, first: int, last: int) -> int:
        """Names that go on after a found one: `Maria Huber, Xy Zett und …`, `die Familien Demir und Huber`."""
        plural = self._cues.plural_title(first)
        paired = last > first
        while (found := self._next_item(last)) is not None:
            start, firm = found
            end = self._item(start, plural=plural, paired=paired, firm=firm)
            if end is None:
                break
            self._names.append((start, end))
            last = end
        return last

    def _next_item(self, last: int) -> tuple[int, bool] | None:
        """The word after a comma or an `und`, and whether it was an `und`."""
        tokens = self.tokens
        match = _LIST.match(tokens.text, self.words.end(last), self.words.end(last) + 60)
        if not match:
            return None
        start = bisect_left(tokens.starts, match.end(), last + 1)
        if start >= len(tokens) or tokens.starts[start] != match.end():
            return None
        return start, match[0].rstrip().endswith(("und", "sowie"))

    def _item(self, start: int, *, plural: bool, paired: bool, firm: bool) -> int | None:
        """The last word of a list's item, if it is a name."""
        tokens = self.tokens
        if start in self._kept or not tokens.namely(start, strict=True):
            return None
        run = self.words.run(start, strict=True)
        if tokens.is_(start, Mark.GIVEN):
            return self.words.extend(start)
        if run is not None:
            return (self.words.extend(start) if tokens.is_(start, _NAME) else run) if paired or plural else None
        if plural:
            return start
        if tokens.is_(start, Mark.COMMON) or not self.words.is_unknown(start):
            return None
        alone = not (tokens.joined(start) and tokens.is_(start + 1, Mark.CAPITAL))
        onward = self._next_item(start)
        goes_on = onward is not None and tokens.is_(onward[0], _NAME)
        return start if alone and not paired and (firm or goes_on) else None

    def _again(self) -> list[tuple[int, int]]:
        """Later and earlier mentions of a name's parts alone: `Huber betont`, `Hubers Team`."""
        tokens = self.tokens
        parts = {
            tokens.lower(token)
            for first, last in self._names
            for token in range(first, last + 1)
            if len(tokens.words[token]) > 2 and tokens.is_(token, Mark.CAPITAL)
        }
        if not parts:
            return []
        parts |= {part[:-1] for part in parts if part.endswith("s") and len(part) > 4}
        covered = {token for first, last in self._names for token in range(first, last + 1)}
        return [
            (token, self._to_genitive(token, parts))
            for token in range(len(tokens))
            if tokens.marks[token] & Mark.CAPITAL and token not in covered and self._is_again(token, parts)
        ]

    def _to_genitive(self, token: int, parts: set[str]) -> int:
        """The last word of `Ottokar von Schliebens`, where a house's name seems to begin."""
        tokens, last = self.tokens, token
        while token in self._kept and last - token < _LONGEST and tokens.joined(last, line=True):
            last += 1
            if tokens.lower(last).endswith("s") and tokens.lower(last)[:-1] in parts:
                return last
            if not tokens.is_(last, Mark.PARTICLE) and tokens.lower(last) not in parts:
                break
        return token

    def _is_again(self, token: int, parts: set[str]) -> bool:
        lower = self.tokens.lower(token)
        if token not in self._kept and self._opens_again(token, parts):
            return True
        if token in self._kept:
            # `Cardosos Verein`, where Cardoso is known: a genitive, no name of a club.
            alone = not self.tokens.is_(token - 1, Mark.CAPITAL) or not self.tokens.joined(token - 1)
            genitive = lower.endswith("s") and lower[:-1] in parts
            chain = lower in parts and self._to_genitive(token, parts) > token
            return alone and (genitive or chain) and token not in self._inside
        if lower in parts or (lower.endswith("s") and lower[:-1] in parts):
            ordinary = tables().is_common(lower) or self.tokens.is_(token, Mark.AMBIGUOUS)
            return not ordinary or self._cues.subject(token)
        return False

    def _opens_again(self, token: int, parts: set[str]) -> bool:
        """`Da Silvas Frau`, where da Silva is known."""
        if not self.tokens.is_(token, Mark.CAPITAL) or self.tokens.lower(token) not in _CAPITAL_PARTICLES:
            return False
        following = self.tokens.lower(token + 1)
        return self.tokens.joined(token) and (following in parts or following.removesuffix("s") in parts)


def _inside(tokens: Tokens, spans: Sequence[tuple[int, int]]) -> set[int]:
    inside = set()
    for start, end in spans:
        at = bisect_left(tokens.starts, start)
        while at < len(tokens) and tokens.starts[at] < end:
            inside.add(at)
            at += 1
    return inside
