"""The tables by which a word is judged a given name, a family name, an office or an ordinary word.

Below: `pipeline.nlp.rules`.
Above: `pipeline.nlp.name_tokens`, `pipeline.nlp.contact_data`, `pipeline.nlp.home_addresses`.
"""

import re
import unicodedata
from functools import cache

from pipeline.nlp.rules import load_rules

_LONGEST = 60
_PARTS = re.compile(r"[.]?[-‑]")
_FOLDS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "ı": "i", "ł": "l", "đ": "d", "ø": "o"})


class NameTables:
    """Lookups in lower case; a hyphenated word is judged by its parts."""

    def __init__(self) -> None:
        self._rules = load_rules("privacy")
        names = load_rules("given_names")
        self._ambiguous = frozenset(names["ambiguous"].split())
        listed = frozenset(word for key, block in names.items() if key != "ambiguous" for word in block.split())
        self._given = listed - self._ambiguous
        self._surnames = frozenset(word for block in load_rules("surnames").values() for word in block.split())
        self._common = frozenset([*load_rules("common_words")["words"].split(), *self._rules["phone_words"]])
        self._sets = {key: frozenset(words) for key, words in self._rules.items()}

    def words(self, key: str) -> list[str]:
        """A list of `rules/privacy.yaml`."""
        return list(self._rules[key])

    def has(self, key: str, word: str) -> bool:
        """Whether a lower-case word stands in a list of `rules/privacy.yaml`."""
        return word in self._sets[key]

    def is_given(self, word: str) -> bool:
        """A given name that is nothing else; `karl-heinz` too."""
        parts = _PARTS.split(word)
        if len(parts) == 1:
            return word in self._given
        if not (parts[0] in self._given or (parts[-1] in self._given and parts[0] not in self._common)):
            return False
        return not (
            self.is_common(word) or self.is_head(word) or (self.is_surname(parts[-1]) and parts[-1] not in self._given)
        )

    def is_ambiguous(self, word: str) -> bool:
        """A given name that is also a word or a place."""
        return word in self._ambiguous

    def is_surname(self, word: str) -> bool:
        """A listed family name, or two of them with a hyphen."""
        return all(part in self._surnames for part in _PARTS.split(word))

    def is_common(self, word: str) -> bool:
        """A word of the language: listed, or with an ending that only nouns have."""
        parts = _PARTS.split(word)
        last = parts[-1]
        if len(parts) > 1 and last in self._surnames and parts[0] not in self._common:
            return False
        return last in self._common or self.is_role(last) or _ends(last, self._sets["noun_ends"], 3)

    def is_compound(self, word: str) -> bool:
        """A common word, or one that ends in a listed word of five or more letters and in nothing that names end in."""
        last = _PARTS.split(word)[-1]
        if self.is_common(word) or self.is_head(word):
            return True
        if len(last) > _LONGEST or _ends(last, self._sets["surname_ends"], 2):
            return False
        return any(last[cut:] in self._common for cut in range(3, len(last) - 4))

    def is_head(self, word: str) -> bool:
        """What is named after persons and stands after the name: `stiftung`, `platz`; compounds too."""
        last = _PARTS.split(word)[-1]
        forms = {last, last.removesuffix("es"), last.removesuffix("s")}
        return any(
            form in self._sets["memorial_heads"] or _ends(form, self._sets["memorial_leads"], 4, least=4)
            for form in forms
        )

    def is_lead(self, word: str) -> bool:
        """The same, before the name."""
        last = _PARTS.split(word)[-1]
        return last in self._sets["memorial_leads"] or _ends(last, self._sets["memorial_leads"], 3, least=4)

    def is_role(self, word: str) -> bool:
        """An office, a job or a relation between persons."""
        last = _PARTS.split(word)[-1]
        return any(
            form in self._sets["roles"] or form in self._sets["role_ends"] or _ends(form, self._sets["role_ends"], 2)
            for form in ((last, last[:-1]) if last.endswith(_GENITIVE) else (last,))
        )


_GENITIVE = ("ers", "ors", "ats", "ents", "ants", "nns", "ars")
"""Of words for persons: `des Landrats`, `des Moderators`."""


def fold(word: str) -> str:
    """Lower case without marks, umlauts in two letters: how a name is written in an address."""
    spelt = word.lower().translate(_FOLDS)
    return "".join(letter for letter in unicodedata.normalize("NFKD", spelt) if letter.isalnum())


def _ends(word: str, ends: frozenset[str], front: int, *, least: int = 2) -> bool:
    """Whether a word ends in one of the given endings after at least `front` letters."""
    if len(word) > _LONGEST:
        return False
    return not ends.isdisjoint([word[cut:] for cut in range(front, len(word) - least + 1)])


@cache
def tables() -> NameTables:
    """The tables, loaded once."""
    return NameTables()
