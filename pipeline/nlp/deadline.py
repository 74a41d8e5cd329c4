"""A bound on the processing time of one text: looked at between and inside the components, without signals or threads.

Below: `data.errors`. Above: `pipeline.nlp.factories`, the components that go through a text sentence by sentence,
`pipeline.nlp.extract`. It works on every platform, in worker processes and in the main one; a single call that never
comes back (of a regular expression, say) it cannot end.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from data.errors import CheckupError

_end: ContextVar[float | None] = ContextVar("checkup_deadline", default=None)


class TextTooLongError(CheckupError):
    """A text took longer than it may; the message says how long that is and which setting changes it."""


@contextmanager
def within(seconds: float | None) -> Iterator[None]:
    """Bounds what runs inside the `with` block; an inner block cannot last longer than the outer one.

    Args:
        seconds: Of processor time of this thread (a machine that sleeps or is busy with others costs none); None: no
            bound of its own.
    """
    outer = _end.get()
    own = None if seconds is None else time.thread_time() + seconds
    token = _end.set(min((end for end in (outer, own) if end is not None), default=None))
    try:
        yield
    except TextTooLongError:
        if seconds is None:
            raise
        raise TextTooLongError(
            f"Der Text war nach {seconds:g} Sekunden Rechenzeit nicht gelesen (Einstellung text_seconds). "
            "Bitte kürzen, aufteilen oder die Einstellung erhöhen."
        ) from None
    finally:
        _end.reset(token)


def check_time() -> None:
    """Goes on while there is time.

    Raises:
        TextTooLongError: The time of the innermost bound is over.
    """
    end = _end.get()
    if end is not None and time.thread_time() > end:
        raise TextTooLongError("Der Text war nicht in der erlaubten Zeit zu lesen.")
