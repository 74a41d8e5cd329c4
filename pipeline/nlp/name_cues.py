"""What stands around a name: titles, offices, quoting verbs, headings with a colon, ages, closing words of letters.

Below: `pipeline.nlp.name_tokens`. Above: `pipeline.nlp.person_names`.
"""

import re

from pipeline.nlp.name_tables import tables
from pipeline.nlp.name_tokens import Mark, Tokens

_TITLE_GAP = re.compile(r"[\s.()/,-]{1,6}")
_COLON = re.compile(r"\s{0,3}(?:\([^()\n]{0,30}\)\s{0,2})?:\s{0,3}(?:\r?\n)?[ \t]{0,4}(?:[-–•*]\s)?")
_AGE = re.compile(
    r"\s?\(\d{1,2}(?:\)|,| Jahre)|, \d{1,2}(?:,| Jahre| \()|\s?\((?:alle )?Namen? (?:wurden? )?(?:von der \w+ )?ge"
)
_PARTY = re.compile(r"\s?\(\s?([A-Za-zÖöüß]{2,11}|B90)\b")
_CALLED = re.compile(
    r"(?:[Nn]enn\w{0,3}|[Nn]annt\w{0,2}|[Gg]enannt) (?:(?:mich|ihn|sie|uns) )?$|\b[Ii]ch (?:bin|heiße) (?:der |die )?$"
    r"|(?:^|[\n.!?]\s?)(?:Liebe|Lieber|Hallo|Hi|Moin|Guten (?:Tag|Morgen|Abend)|Danke(?: an)?)[ ,]{1,2}$"
    r"|achkundige[rn]? (?:Bürger|Einwohner) $"
)
_CALLING = (
    "mich", "ihn", "sie", "uns", "bin", "heiße", "der", "die", "Liebe", "Lieber", "Hallo", "Hi", "Moin", "Tag",
    "Morgen", "Abend", "Danke", "an", "Bürger", "Einwohner",
)  # fmt: skip
"""Ends of what `_CALLED` finds, beside forms of `nennen`."""
_CALLED_STOP = {",", "!", ".", "“", "”", " "}
_ASKED = re.compile(r"(?:[Mm]eld|[Ss]ag|[Rr]uf|[Ww]end|[Ff]rag)\w{0,5}\b[^.!?\n]{0,40}\b(?:bei|an) $")
_ASKED_STOP = re.compile(r" (?:ab|an|unter|oder)\b| \(0|, ?0")
_YEARS_OLD = re.compile(r"\d{1,2}-?[Jj]ährige[rnms]?\s(?:[^\W\d_]{2,30}\s){0,2}$")
_SIGNED = re.compile(
    r"(?:Gr(?:ü|u|ue)(?:ß|ss)(?:e|en)?|gez\.|[iI]\. ?A\.|[iI]\. ?V\.|Ihre?|Euer|Eure|Hochachtungsvoll|[Hh]erzlichst|©"
    r"|Fotos?:|Foto ©|\b[LV]G|MfG|\bgezeichnet)"
    r"[\s,]{1,6}$"
)
_AS_QUOTED = (
    ", so ",
    "“ so ",
    "” so ",
    "« so ",
    " laut ",
    "Laut ",
    "nach Angaben von ",
    " namens ",
    " heiße ",
    " mit Namen ",
)
_CONTACT_WORD = re.compile(
    r"[\s,;:(–|/-]{1,4}(?:Tel(?:efon)?\b|Fon\b|Mobil\b|Handy\b|E-?Mail\b|Mail:|Durchwahl\b|Zimmer\b|☎|📞|✉)"
)
_SIGNING = {
    "grüßen",
    "gruß",
    "grüße",
    "gruessen",
    "gez",
    "a",
    "v",
    "ihr",
    "ihre",
    "euer",
    "eure",
    "hochachtungsvoll",
    "foto",
    "fotos",
    "lg",
    "vg",
    "mfg",
    "herzlichst",
    "gezeichnet",
}
_PRESENT = frozenset(
    [
        "anwesend",
        "anwesende",
        "entschuldigt",
        "abwesend",
        "teilnehmende",
        "teilnehmer",
        "teilnehmerinnen",
        "mitglieder",
        "gäste",
    ]
)
_COUNCILS = {"stadtrat", "gemeinderat", "kreisrat", "bezirksrat", "magistrat"}
"""Persons or bodies; after an article bodies."""
_BEFORE_COUNCILS = {"der", "dem", "des", "den", "im", "vom", "beim"}
_DETERMINERS = {
    "die",
    "eine",
    "jede",
    "keine",
    "der",
    "einer",
    "jeder",
    "als",
    "zur",
    "diese",
    "dieser",
    "ihre",
    "meine",
}
_SALUTATIONS = {"frau", "herr", "herrn", "fr", "hr", "hrn", "dr", "prof"}
_FEMININE = ("in", "frau", "ige", "te", "mutter", "tochter", "schwester", "kraft")
_PLACING = {"in", "aus", "bei", "nach", "im", "von", "vom", "am", "beim"}
_NOT_SPEECH = {"fügt", "freut", "weiß"}
_PLURAL_TITLES = {"familien", "herren", "eheleute", "ehepaar", "geschwister"}
_ARTICLES = frozenset(
    ["die", "der", "das", "den", "dem", "ein", "eine", "einer", "unser", "unsere", "ihr", "ihre", "sein", "seine"]
)
_MOST = 6


class Cues:
    """The surroundings of the words of one text."""

    def __init__(self, tokens: Tokens, kept: set[int]) -> None:
        self._tokens = tokens
        self._kept = kept
        self._title_before: list[int] = []
        title = -_MOST
        for token, marks in enumerate(tokens.marks):
            self._title_before.append(title)
            if marks & Mark.TITLE:
                title = token

    def any_before(self, token: int) -> bool:
        """Whether anything before a word calls it a person."""
        return (
            self.titled(token)
            or self.office(token)
            or self.colon(token)
            or self.quoted(token)
            or self.signed(token)
            or self.speaks(token)
        )

    def titled(self, token: int) -> bool:
        """`Frau`, `Dr.`, `Familie` before it, further titles and offices between."""
        tokens = self._tokens
        before = token - 1
        steps = 0
        if token - self._title_before[token] > _MOST:
            return False
        while before >= 0 and steps < _MOST and before not in self._kept:
            gap = tokens.gap(before)
            if not _TITLE_GAP.fullmatch(gap) or "\n\n" in gap or ("," in gap or "/" in gap):
                return False
            lower = tokens.lower(before)
            if tokens.is_(before, Mark.TITLE) and _is_title(lower, tokens.words[before], gap):
                return True
            if not (tables().has("title_parts", lower) or tokens.is_(before, Mark.ROLE)):
                return False
            before -= 1
            steps += 1
        return False

    def plural_title(self, token: int) -> bool:
        """`Familien`, `Ehepaar` before it: more than one family name may follow."""
        return self._tokens.lower(token - 1) in _PLURAL_TITLES or self.plural_role(token)

    def plural_role(self, token: int) -> bool:
        """`mit ihren Kindern` before it, or the heading of an attendance list."""
        before, tokens = token - 1, self._tokens
        lower = tokens.lower(before)
        if lower in _PRESENT:
            return bool(_COLON.fullmatch(tokens.text[tokens.end(before) : tokens.starts[token]]))
        adjective = lower.startswith("ehrenamtlich") and tokens.words[before][0].islower()
        if adjective or not tables().has("plural_roles", lower):
            return False
        return tokens.joined(before, line=True) and before not in self._kept

    def saluted(self, token: int) -> bool:
        """Whether `Frau`, `Herr`, `Dr.` makes even a word of the language a name: `Frau Bäcker`."""
        tokens = self._tokens
        lower, salutation = tokens.lower(token), tokens.lower(token - 1)
        if salutation not in _SALUTATIONS or tokens.is_(token, Mark.ACRONYM | Mark.TITLE | Mark.INITIAL):
            return False
        if not tokens.joined(token - 1, line=True) or not self.titled(token):
            return False
        if len(salutation) > 3 and tokens.gap(token - 1).startswith(".") and salutation != "prof":
            return False
        if tokens.lower(token - 2) in _DETERMINERS and tokens.joined(token - 2):
            return False
        if tokens.is_(token, Mark.ROLE):
            return salutation in {"frau", "fr"} and not lower.endswith(_FEMININE)
        return True

    def of_party(self, token: int) -> bool:
        """`X (SPD)` after an office."""
        end = self._tokens.end(token)
        found = _PARTY.match(self._tokens.text, end, end + 16)
        return found is not None and tables().has("parties", found[1].lower()) and self.office(token)

    def called(self, token: int, last: int) -> bool:
        """`nennen mich X`, `Hallo, ich bin X!`, `Liebe X,`, `meldet euch bei X unter …`."""
        tokens = self._tokens
        start, end = tokens.starts[token], tokens.end(last)
        before = tokens.text[max(0, start - 70) : start]
        if tokens.text[end : end + 1] in _CALLED_STOP and _may_call(before) and _CALLED.search(before):
            return True
        asked = before.endswith(("bei ", "an ")) and _ASKED_STOP.match(tokens.text, end, end + 12)
        return bool(asked and _ASKED.search(before))

    def made(self, token: int) -> bool:
        """`Druck:`, `Gestaltung:`, `Büro` before it: a person or a firm."""
        tokens = self._tokens
        if not tables().has("making_cues", tokens.lower(token - 1)):
            return False
        between = tokens.text[tokens.end(token - 1) : tokens.starts[token]]
        return bool(_COLON.fullmatch(between)) or tokens.lower(token - 1) == "büro"

    def office(self, token: int) -> bool:
        """An office or a relation right before it: `Projektleiterin`, `ihr Mann`."""
        tokens = self._tokens
        if not tokens.joined(token - 1, line=not tokens.is_(token, Mark.GIVEN)):
            return False
        before = token - 1
        if tokens.lower(before) in {"r", "d"} and tokens.lower(before - 1) in {"i", "a"}:
            before -= 2
        if tokens.lower(before) in {"bürger", "einwohner"} and tokens.lower(before - 1).startswith("sachkundig"):
            return True
        if tokens.lower(before) in _COUNCILS and tokens.lower(before - 1) in _BEFORE_COUNCILS:
            return False
        return tokens.is_(before, Mark.ROLE) and before not in self._kept

    def offices(self, token: int) -> bool:
        """One office before it, or several persons of it: `Ratsmitglied X`, `die Ratsmitglieder X und Y`."""
        return self.office(token) or self.plural_role(token)

    def colon(self, token: int) -> bool:
        """`Ansprechpartnerin:`, `Kontakt:` before it."""
        tokens = self._tokens
        before = token - 1
        if before < 0:
            return False
        gap = tokens.gap(before)
        if ":" not in gap and ")" not in gap:
            return False
        for cue in range(before, max(-1, before - 4), -1):
            between = tokens.text[tokens.end(cue) : tokens.starts[token]]
            if _COLON.fullmatch(between):
                lower = tokens.lower(cue)
                return tokens.is_(cue, Mark.ROLE) or any(lower.endswith(word) for word in _colon_words())
        return False

    def quoted(self, token: int) -> bool:
        """`sagt X`, `so X`, `laut X`, `die 34-jährige X`; article and office may stand between."""
        tokens = self._tokens
        start = tokens.starts[token]
        before_text = tokens.text[max(0, start - 60) : start]
        if before_text.endswith(_AS_QUOTED) or ("ährige" in before_text and _YEARS_OLD.search(before_text)):
            return True
        before = token - 1
        steps = 0
        while before >= 0 and steps < 3 and tokens.joined(before):
            lower = tokens.lower(before)
            if tables().has("speech", lower) and lower not in _NOT_SPEECH:
                return True
            if not (lower in _ARTICLES or tokens.is_(before, Mark.ROLE)) or (steps == 0 and lower in _ARTICLES):
                return False
            before -= 1
            steps += 1
        return False

    def signed(self, token: int) -> bool:
        """After `Mit freundlichen Grüßen`, `gez.`, `i. A.`, `Foto:`."""
        start = self._tokens.starts[token]
        if self._tokens.lower(token - 1) not in _SIGNING and "©" not in self._tokens.text[max(0, start - 4) : start]:
            return False
        return bool(_SIGNED.search(self._tokens.text[max(0, start - 20) : start]))

    def speaks(self, token: int) -> bool:
        """Whether a quoting verb follows."""
        before = self._tokens.marks[token - 1] if self._tokens.joined(token - 1) else 0
        if self._tokens.lower(token - 1) in _PLACING or (
            before & Mark.COMMON and before & Mark.CAPITAL and not before & Mark.ROLE
        ):
            return False
        return self._tokens.joined(token) and tables().has("speech", self._tokens.lower(token + 1))

    def subject(self, token: int) -> bool:
        """Whether a word opens a sentence (or follows a verb of speech) and a verb follows: `Lang war zuvor …`."""
        tokens = self._tokens
        if self.quoted(token) or self.office(token) or self.titled(token):
            return True
        opens = token == 0 or tokens.gap(token - 1).strip()[-1:] in {".", "!", "?", "“", "„", ":", ";", "«", "”"}
        following = tokens.lower(token + 1)
        verb = tables().has("subject_verbs", following) or tables().has("speech", following)
        return opens and tokens.joined(token) and verb

    def aged(self, token: int) -> bool:
        """`X (34)`, `X, 34,` and no preposition of place before."""
        end = self._tokens.end(token)
        if not _AGE.match(self._tokens.text, end, end + 12):
            return False
        return self._tokens.lower(token - 1) not in _PLACING

    def contact_word_follows(self, token: int) -> bool:
        """`Tel.`, `E-Mail` right after it."""
        end = self._tokens.end(token)
        return bool(_CONTACT_WORD.match(self._tokens.text, end, end + 16))


def _may_call(before: str) -> bool:
    """Whether `_CALLED` can be found at the end of a text; it looks at the last word only."""
    words = before.rstrip(" ,")
    return words.endswith(_CALLING) or "enn" in words[-7:] or "annt" in words[-7:]


def _is_title(lower: str, word: str, gap: str) -> bool:
    """Short ones need their full stop and capital: `Fr.`, `Dr.`; `med.` alone is none."""
    if lower in {"fr", "hr", "hrn", "fam", "ing", "dipl", "mag"}:
        return gap.startswith(".") and word[0].isupper()
    return (word[0].isupper() and lower not in {"phil", "schwester", "pater"}) or lower in {"med", "jur"}


def _colon_words() -> list[str]:
    return tables().words("colon_cues")
