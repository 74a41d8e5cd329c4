"""Which words of a text form one name: given names, particles, family names, initials.

Below: `pipeline.nlp.name_cues`, `pipeline.nlp.name_tokens`. Above: `pipeline.nlp.person_names`.
"""

import re

from pipeline.nlp.name_cues import Cues
from pipeline.nlp.name_tables import tables
from pipeline.nlp.name_tokens import Mark, Tokens, is_noun

_NAME = Mark.GIVEN | Mark.AMBIGUOUS
_LONGEST = 6
_COMMON_PARTICLES = {"zu", "zum", "zur", "vom", "den", "das", "do", "la", "le"}
_BROKEN = re.compile(r"-\r?\n(?!und\b|oder\b)[a-zäöüß]{2,30}(?!\w)")
"""The end of a line cut the name in two."""
_OPENING_QUOTES = {"„", "“", "»", "«", '"'}
_PLACE_ENDS = (
    "ingen",
    "heim",
    "stedt",
    "stadt",
    "dorf",
    "hausen",
    "hain",
    "burg",
    "furt",
    "rode",
    "leben",
    "kirchen",
    "ow",
)
_ROLES_IN_NAMES = ("vater", "bruder", "freund", "richter", "kaufmann", "wart", "schüler")
_PAUSES = {",", ".", ";", "(", ")", ":", ""}


class NameWords:
    """The words of one text, as parts of names; ranges of words include both ends."""

    def __init__(self, tokens: Tokens, kept: set[int], cues: Cues) -> None:
        self.tokens = tokens
        self._kept = kept
        self._cues = cues

    def end(self, token: int) -> int:
        """One past a word; the full stop of an initial belongs to it."""
        end = self.tokens.end(token)
        if self.tokens.is_(token, Mark.INITIAL):
            return end + 1 if self.tokens.text[end : end + 1] == "." else end
        broken = _BROKEN.match(self.tokens.text, end, end + 40)
        return broken.end() if broken else end

    def run(self, token: int, *, strict: bool) -> int | None:
        """The last of two to four name-like words on one line; None if there is only one."""
        last = token
        while (
            last - token < 3
            and self.tokens.joined(last, line=True)
            and last + 1 not in self._kept
            and (self.tokens.namely(last + 1, strict=strict) or self.particle(last + 1))
        ):
            last += 1
        return last if last > token else None

    def is_pair(self, token: int, run: int | None) -> bool:
        """Two words or three that no dictionary knows: `der Vater von Amaru Quispe`, `Büro Milosz Kamiński`."""
        tokens = self.tokens
        if (
            run is None
            or run - token > 3
            or tokens.lower(token - 1) in {"in", "aus", "nach"}
            or tokens.is_(run, Mark.PARTICLE)
        ):
            return False
        named = [word for word in range(token, run + 1) if not tokens.is_(word, Mark.PARTICLE)]
        if not any(tokens.is_(word, _NAME | Mark.SURNAME) for word in named) and self._is_no_person(token, run):
            return False
        return not any(tokens.is_(word, Mark.COMMON) or not self.is_unknown(word) for word in named)

    def _is_no_person(self, token: int, last: int) -> bool:
        """Whether unknown words are a place, a title or belong to the noun before them."""
        tokens = self.tokens
        if tokens.lower(last).endswith(_PLACE_ENDS):
            return True
        apposed = tokens.joined(token - 1) and tokens.is_(token - 1, Mark.CAPITAL)
        return (apposed or tokens.gap(token - 1)[-1:] in _OPENING_QUOTES) and not self._cues.made(token)

    def is_unknown(self, token: int) -> bool:
        """A name by the tables, or a word that the dictionary does not know."""
        word = self.tokens.words[token]
        return self.tokens.is_(token, _NAME | Mark.SURNAME) or (len(word) > 1 and not is_noun(word))

    def particle(self, token: int, *, strict: bool = False) -> bool:
        """Whether a small word such as `von` hangs a name on to what stands before it."""
        tokens = self.tokens
        return (
            tokens.is_(token, Mark.PARTICLE)
            and tokens.lower(token) != "und"
            and tokens.joined(token)
            and token + 1 not in self._kept
            and (
                tokens.namely(token + 1, strict=strict or tokens.lower(token) in _COMMON_PARTICLES)
                or tokens.is_(token + 1, Mark.PARTICLE)
                or self._is_noble(token)
            )
        )

    def _is_noble(self, token: int) -> bool:
        """`Edith von Bergen`: after a given name even a word of the language, if the phrase ends there."""
        tokens, following = self.tokens, token + 1
        noun = tokens.is_(following, Mark.ROLE | Mark.TITLE | Mark.HEAD | Mark.LEAD | Mark.ACRONYM)
        if tokens.lower(token) not in {"von", "van", "de", "da"} or noun or not tokens.is_(following, Mark.CAPITAL):
            return False
        return tokens.is_(token - 1, Mark.GIVEN) and tokens.gap(following).lstrip()[:1] in _PAUSES

    def _is_foreign_particle(self, token: int) -> bool:
        """`Antonio Ferreira da Silva`, `Giuseppe Lo Presti`, `Ottokar Freiherr von Schlieben`: between names."""
        tokens, lower = self.tokens, self.tokens.lower(token)
        if not tokens.joined(token, line=True) or token + 1 in self._kept:
            return False
        if tables().has("nobility", lower):
            return tokens.namely(token + 1, strict=True) or tokens.is_(token + 1, Mark.PARTICLE)
        if not tables().has("name_particles", lower) or lower in _COMMON_PARTICLES - {"la", "do"}:
            return False
        return tokens.namely(token + 1, strict=True) or (
            tokens.joined(token + 1, line=True)
            and tables().has("name_particles", tokens.lower(token + 1))
            and tokens.namely(token + 2, strict=True)
        )

    def extend(self, token: int) -> int:
        """The last word of the name that begins here, by kind of word."""
        tokens = self.tokens
        last = token
        surname = tokens.is_(token, Mark.SURNAME) and not tokens.is_(token, _NAME)
        while last - token < _LONGEST and tokens.joined(last, line=surname) and last + 1 not in self._kept:
            following = last + 1
            if tokens.is_(following, Mark.INITIAL):
                if self._dot_ends_sentence(following):
                    break
            elif self._is_foreign_particle(following) or (not surname and self.particle(following)):
                last = following
                surname = False
                continue
            elif not self._continues(following, surname=surname, line="\n" in tokens.gap(last)):
                break
            elif not tokens.is_(following, _NAME) or tokens.is_(following, Mark.SURNAME):
                surname = True
            last = following
        while last > token and tokens.is_(last, Mark.PARTICLE) and not tokens.is_(last, Mark.CAPITAL):
            last -= 1
        return last

    def _dot_ends_sentence(self, token: int) -> bool:
        end = self.tokens.end(token)
        return self.tokens.text[end : end + 1] not in {".", ""}

    def _continues(self, token: int, *, surname: bool, line: bool) -> bool:
        tokens = self.tokens
        if surname:
            return tokens.namely(token, strict=True) and not tokens.is_(token, Mark.COMMON)
        if tokens.namely(token, strict=line):
            return True
        if tokens.is_(token - 1, Mark.PARTICLE) and self._is_noble(token - 1):
            return True
        if tokens.is_(token - 1, Mark.GIVEN) and not line and self._is_rare(token):
            return True
        return not line and self._ends_phrase(token)

    def _is_rare(self, token: int) -> bool:
        """`Renate Altvater`, `Ha-eun Park`: looks like an office or a place, but no sentence goes on so."""
        tokens, lower = self.tokens, self.tokens.lower(token)
        if not tokens.is_(token, Mark.CAPITAL) or tokens.is_(token, Mark.ACRONYM | Mark.TITLE | Mark.LEAD):
            return False
        if tokens.words[token - 1].partition("-")[2].islower():
            return lower == "park" or not is_noun(tokens.words[token])
        if tables().is_given(tokens.lower(token - 1).removesuffix("s")) and tokens.lower(token - 1).endswith("s"):
            return False
        ends = tokens.is_(token, Mark.ROLE) and lower not in _ROLES_IN_NAMES and lower.endswith(_ROLES_IN_NAMES)
        return ends or not is_noun(tokens.words[token])

    def _ends_phrase(self, token: int) -> bool:
        """A short word of the language after a given name, and then a stop: `Maria Herz, …`."""
        tokens = self.tokens
        short = len(tokens.words[token]) <= 7 and tokens.is_(token, Mark.CAPITAL) and tokens.is_(token - 1, Mark.GIVEN)
        noun = tokens.is_(token, Mark.ROLE | Mark.TITLE | Mark.HEAD | Mark.LEAD | Mark.ACRONYM | Mark.INITIAL)
        return short and not noun and tokens.gap(token)[:1] in {",", ".", ";", ")", "\n", ""}
