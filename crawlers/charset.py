"""Bytes to text: which encoding a page or list is in.

Below: charset-normalizer (only where nothing else helps). Above: `page`, `lists`, `discover`, `documents`.
Order: byte order mark, header, `<meta>` or XML declaration, strict UTF-8, statistics. The mark comes before the header
as browsers do it (WHATWG Encoding Standard); a declared encoding that does not fit the bytes is passed over.
"""

import codecs
import re

BOMS = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
META = re.compile(
    rb"""<(?:meta\b[^>]*?charset\s*=\s*|\?xml\b[^>]*?encoding\s*=\s*)["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.I
)
HEADER = re.compile(r"""charset\s*=\s*["']?\s*([A-Za-z0-9_:.-]{2,40})""", re.I)
HEAD_BYTES = 4096
SAMPLE_BYTES = 65536
BINARY_CODECS = frozenset({"base64", "bz2", "hex", "quopri", "rot13", "uu", "zlib", "idna", "punycode", "undefined"})
WESTERN = ("cp1252", "cp850", "mac_roman")
GERMAN = re.compile("[A-Za-z][äöüß]|[ÄÖÜ][a-z]")
"""Statistics are poor on short German texts: an umlaut beside a letter decides between the usual three first."""
C1 = {byte: bytes([byte]).decode("cp1252") for byte in range(0x80, 0xA0) if byte not in (0x81, 0x8D, 0x8F, 0x90, 0x9D)}
"""Windows-1252 as browsers read it: the five unassigned bytes are control characters, not errors."""


def _codec(label: str | None) -> str | None:
    """The Python codec of a label; Latin-1 and ASCII mean windows-1252 on the web (Encoding Standard, 4.2)."""
    if not label:
        return None
    try:
        name = codecs.lookup(label.strip()).name
    except LookupError:
        return None
    if name in ("iso8859-1", "ascii"):
        return "cp1252"
    return name if name not in BINARY_CODECS else None


def _strict(body: bytes, codec: str | None) -> str | None:
    if codec is None:
        return None
    if codec == "cp1252":
        return body.decode("latin-1").translate(C1)
    try:
        return body.decode(codec)
    except (UnicodeDecodeError, LookupError):
        return None


def decode(body: bytes, content_type: str = "", declared: str | None = None) -> tuple[str, str]:
    """Turn bytes into text.

    Args:
        body: The whole body.
        content_type: Value of the Content-Type header with its parameters.
        declared: An encoding that a person wrote down (a list's `encoding`); comes before the header.

    Returns:
        The text, and the name of the encoding that was used. Bytes that fit no encoding become U+FFFD.
    """
    for bom, codec in BOMS:
        if body.startswith(bom):
            return body.decode(codec, errors="replace"), codec
    header = HEADER.search(content_type)
    meta = META.search(body[:HEAD_BYTES])
    labels = (declared, header.group(1) if header else None, meta.group(1).decode("ascii") if meta else None, "utf-8")
    for label in labels:
        codec_name = _codec(label)
        text = _strict(body, codec_name)
        if text is not None and codec_name is not None:
            return text, codec_name
    return _guess(body)


def _guess(body: bytes) -> tuple[str, str]:
    lossy = body.decode("utf-8", errors="replace")
    if lossy.count("\ufffd") * 1000 < len(lossy) and not lossy.isascii():
        return lossy, "utf-8"
    sample = body[:SAMPLE_BYTES]
    scores = {codec: len(GERMAN.findall(sample.decode(codec, errors="replace"))) for codec in WESTERN}
    likely = max(WESTERN, key=lambda codec: scores[codec])
    if scores[likely]:
        return _strict(body, likely) or body.decode(likely, errors="replace"), likely
    from charset_normalizer import from_bytes

    best = from_bytes(sample).best()
    codec = _codec(best.encoding if best else None) or "cp1252"
    return _strict(body, codec) or body.decode(codec, errors="replace"), codec
