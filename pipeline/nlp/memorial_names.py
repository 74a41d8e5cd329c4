"""Names that belong to an organisation, a school, a street or a prize: their words are no names of persons.

Below: `pipeline.nlp.name_tokens`. Above: `pipeline.nlp.person_names`.
"""

from collections.abc import Callable
from functools import cache, partial

from pipeline.nlp.name_tokens import Mark, Tokens

_NAME = Mark.GIVEN | Mark.AMBIGUOUS
_MOST = 7
_WANTED = _NAME | Mark.HEAD | Mark.LEAD | Mark.LEGAL | Mark.COMMON
_SHORT = {"e", "St", "st"}
_SALUTATIONS = {"frau", "herr", "herrn", "familie"}
_ARTICLES = {"der", "den", "das", "zu", "zur", "zum", "vom"}
_KOREAN_SURNAMES = {"park", "bang", "ring"}
_LINKS = {"der", "des", "für", "und"}


def kept_words(tokens: Tokens) -> set[int]:
    """The numbers of the words that belong to the name of an institution or a place."""
    kept: set[int] = set()
    links = cache(partial(_links, tokens))
    for token in range(len(tokens)):
        marks = tokens.marks[token]
        if not marks & _WANTED and tokens.words[token] not in _SHORT and not tokens.words[token].endswith("-St"):
            continue
        if (
            marks & Mark.CAPITAL
            and "-" in tokens.words[token]
            and (marks & (Mark.HEAD | Mark.LEAD) or (marks & Mark.COMMON and not marks & Mark.ROLE))
            and not marks & _NAME
            and not (marks & Mark.SURNAME and tokens.is_(token - 1, _NAME))
        ):
            kept.add(token)
        if marks & (Mark.HEAD | Mark.LEGAL) or _is_ev(tokens, token):
            kept.update(_before_head(tokens, token, links, firm=not marks & Mark.HEAD))
        if (marks & Mark.LEAD and marks & Mark.CAPITAL and not _is_complete(tokens.words[token])) or tokens.lower(
            token
        ) == "st":
            kept.update(_after_lead(tokens, token))
        if marks & _NAME and _is_quoted(tokens, token):
            kept.add(token)
    return kept


def _is_ev(tokens: Tokens, token: int) -> bool:
    """Whether `e. V.` or `e.V.` begins here."""
    return tokens.words[token] == "e" and tokens.lower(token + 1) == "v" and tokens.gap(token).strip() == "."


def _before_head(tokens: Tokens, token: int, links: Callable[[int, bool], bool], *, firm: bool) -> list[int]:
    """The words of the name before `Stiftung`, `Platz`, `GmbH`; none where none is named after a person."""
    if not (firm or tokens.is_(token, Mark.CAPITAL)) or (
        firm and tokens.is_(token + 1, Mark.LEGAL) and tokens.joined(token)
    ):
        return []
    if tokens.lower(token) in _KOREAN_SURNAMES and tokens.words[token - 1].partition("-")[2].islower():
        return []
    first = token
    while first and token - first < _MOST and links(first - 1, firm):
        first -= 1
    while first < token and not tokens.is_(first, Mark.CAPITAL):
        first += 1
    return list(range(first, token + 1))


def _links(tokens: Tokens, token: int, firm: bool) -> bool:
    """Whether a word and the next are parts of one name."""
    gap = tokens.gap(token)
    if gap.strip() == "&" and "\n" not in gap:
        return tokens.is_(token, Mark.CAPITAL)
    if not tokens.joined(token, line=True) or _is_person(tokens, token, firm=firm):
        return False
    if tokens.lower(token) == "und":
        return tokens.is_(token - 1, _NAME | Mark.SURNAME) and tokens.joined(token - 1, line=True)
    if tokens.is_(token, Mark.PARTICLE) and not tokens.is_(token, Mark.CAPITAL):
        return tokens.namely(token - 1, strict=False) and tokens.lower(token) not in _ARTICLES
    return tokens.is_(token, Mark.CAPITAL) and (
        firm
        or tokens.is_(token, Mark.TITLE)
        or tokens.is_(token, Mark.INITIAL)
        or tokens.namely(token, strict=False)
        or _name_before(tokens, token)
    )


def _is_person(tokens: Tokens, token: int, *, firm: bool) -> bool:
    """Whether a word speaks of a person and so begins no institution's name: `Frau`, `Projektleiterin`."""
    if tokens.lower(token) in _SALUTATIONS:
        return True
    office = tokens.is_(token, Mark.ROLE) and not tokens.is_(token, Mark.SURNAME)
    return office and not (firm and tokens.is_(token - 1, _NAME))


def _name_before(tokens: Tokens, token: int) -> bool:
    """Whether a given name stands at most three words before, on the same line without a stop."""
    before = token - 1
    while before >= max(0, token - 3) and tokens.joined(before, line=True):
        if tokens.is_(before, _NAME):
            return not tokens.is_(token, Mark.ROLE)
        before -= 1
    return False


def _after_lead(tokens: Tokens, token: int) -> list[int]:
    """The name after `Grundschule`, `Haus`, `Stiftung`: a given name and what follows it."""
    if not tokens.joined(token, line=True) and not (
        tokens.lower(token).endswith("st") and tokens.gap(token) in {". ", "."}
    ):
        return []
    first = token + 1
    if tokens.lower(first) in _LINKS and tokens.joined(first, line=True):
        first += 2
        if not (tokens.joined(first - 1, line=True) and tokens.is_(first - 1, Mark.COMMON | Mark.COMPOUND)):
            return []
    if not (tokens.is_(first, _NAME) or (first == token + 1 and tokens.namely(first, strict=True))):
        return []
    last = first
    while (
        last - first < 4
        and tokens.joined(last, line=True)
        and (
            tokens.namely(last + 1, strict=False)
            or tokens.is_(last + 1, Mark.PARTICLE | Mark.INITIAL)
            or (tokens.lower(last + 1) == "und" and tokens.is_(last + 2, _NAME))
        )
    ):
        last += 1
    return list(range(token, last + 1))


def _is_complete(word: str) -> bool:
    """`Konrad-Adenauer-Stiftung` is a whole name: what follows is another."""
    return word.count("-") > 1


def _is_quoted(tokens: Tokens, token: int) -> bool:
    """A single word in quotation marks is a title: „Amal“."""
    start, end = tokens.starts[token], tokens.end(token)
    return tokens.text[start - 1 : start] in {"„", "“", "»", "«", '"', "‚"} and tokens.text[end : end + 1] in {
        "“",
        "”",
        "«",
        "»",
        '"',
        "‘",
    }
