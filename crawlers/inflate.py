"""Unpacks gzip and deflate in bounded steps, so that a bomb is noticed before it goes off.

Below: `web`. Above: `fetch` (content coding), `discover` (packed sitemaps).
"""

import zlib
from typing import Any

from crawlers.web import Refusal

CHUNK_BYTES = 64 * 1024


class Inflater:
    """Undoes gzip and deflate in bounded steps.

    Args:
        coding: Value of the Content-Encoding header.
        max_bytes: Largest decompressed size.
        ratio: Largest decompressed size per compressed byte (plus 1 MiB of grace for small bodies).
    """

    def __init__(self, coding: str, *, max_bytes: int, ratio: int) -> None:
        names = [name.strip().lower() for name in coding.split(",") if name.strip().lower() not in ("", "identity")]
        if len(names) > 1 or (names and names[0] not in ("gzip", "x-gzip", "deflate")):
            raise Refusal("content_coding", f"Die Kodierung „{coding}“ wird nicht gelesen.")
        self.coded = bool(names)
        self.max_bytes = max_bytes
        self.ratio = ratio
        self.parts: list[bytes] = []
        self.size = 0
        self.read = 0
        self._decoder: Any = None

    def feed(self, chunk: bytes) -> None:
        """Take in the next bytes as they came over the wire."""
        self.read += len(chunk)
        if not self.coded:
            self._keep(chunk)
            return
        while chunk:
            if self._decoder is None or self._decoder.eof:
                self._decoder = zlib.decompressobj(47 if chunk[:1] in (b"\x1f", b"\x78") else -15)
            try:
                self._keep(self._decoder.decompress(chunk, CHUNK_BYTES))
            except zlib.error:
                raise Refusal("content_coding", "Die gepackte Antwort ist beschädigt.") from None
            chunk = self._decoder.unconsumed_tail or (self._decoder.unused_data if self._decoder.eof else b"")

    def _keep(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self.max_bytes:
            raise too_big(self.max_bytes)
        if self.coded and self.size > self.read * self.ratio + 1024 * 1024:
            raise Refusal("bomb", "Die gepackte Antwort bläht sich übermäßig auf.")
        self.parts.append(data)

    def finish(self) -> bytes:
        """The whole body."""
        if self.coded and self._decoder is not None and not self._decoder.eof:
            raise Refusal("truncated", "Die gepackte Antwort brach ab.")
        return b"".join(self.parts)


def too_big(max_bytes: int) -> Refusal:
    """The refusal of a body larger than allowed."""
    return Refusal("too_big", f"Der Inhalt ist größer als {max_bytes // (1024 * 1024)} MiB.")
