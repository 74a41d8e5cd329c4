"""Computing in float32, which is the same on every processor; in 8 bit rounding goes another way on another kind.

There a text on the brink falls to the other side (docs/platforms.md).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import pytest

from embeddings import word_states


@contextmanager
def spans_in_float32() -> Iterator[None]:
    """The reader of spans computes in float32."""
    states = word_states.shipped_states
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(word_states, "ensure_built", partial(word_states.ensure_built, exact=True))
        states.cache_clear()
        yield
    states.cache_clear()
