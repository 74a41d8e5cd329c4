"""How much is remembered of words that were read before, so that memory stays flat however many texts are read.

Below: nothing. Above: every module of `pipeline.nlp` that keeps what it found out about a word.
"""

KEPT_WORDS = 12_000
"""Entries of each such cache: more than the different words of 400 texts; a rarer word is looked up again."""
