"""What changed between two versions of a text: old and new wording side by side, sentence by sentence.

Below: nothing. Above: `pipeline.staging` (events), and whoever shows them.
"""

import re
from difflib import SequenceMatcher

MOST_PASSAGES = 12
MOST_CHARACTERS = 600
"""Of one passage: a short quotation, not a second copy of the page."""
_END = re.compile(r"(?<=[.!?…])\s+(?=[^\Wa-zäöüß\d_])|\n+")


def changed_passages(old: str, new: str) -> list[dict[str, str]]:
    """The passages that differ, in text order, each with its old and new wording (one of them may be empty).

    Blanks do not count. At most MOST_PASSAGES, each cut after MOST_CHARACTERS with an ellipsis; two texts that differ
    in no sentence give none.
    """
    before, after = _sentences(old), _sentences(new)
    matcher = SequenceMatcher(a=before, b=after, autojunk=False)
    pairs = [
        (" ".join(before[a:b]), " ".join(after[c:d])) for tag, a, b, c, d in matcher.get_opcodes() if tag != "equal"
    ]
    return [{"old": _short(one), "new": _short(two)} for one, two in pairs if one != two][:MOST_PASSAGES]


def _sentences(text: str) -> list[str]:
    pieces = (" ".join(piece.split()) for piece in _END.split(text))
    return [piece for piece in pieces if piece]


def _short(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[:MOST_CHARACTERS].rsplit(" ", 1)[0] + " …"
