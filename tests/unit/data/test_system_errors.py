import errno
import os

import pytest

from data.database import translate
from data.system_errors import _REASONS, in_german


@pytest.mark.parametrize(
    ("number", "told"),
    [
        (errno.EACCES, "keine Berechtigung"),
        (errno.ENOSPC, "der Datenträger ist voll"),
        (errno.ENOENT, "das gibt es nicht"),
        (errno.EISDIR, "das ist ein Ordner"),
    ],
)
def test_what_the_system_refuses_is_told_in_german(number, told):
    assert in_german(OSError(number, os.strerror(number), "datei")) == told


@pytest.mark.parametrize(("number", "told"), [(32, "ein anderes Programm"), (33, "ein anderes"), (5, "keine Berecht")])
def test_what_another_program_has_open_is_told_on_windows(number, told):
    error = PermissionError(errno.EACCES, os.strerror(errno.EACCES), "datei")
    error.winerror = number  # as on Windows
    assert in_german(error).startswith(told)


def test_every_listed_number_exists_here():
    assert [name for name in _REASONS if not hasattr(errno, name)] == []


def test_what_is_not_listed_keeps_its_words():
    assert in_german(OSError(errno.EDOM, "Numerical argument")) == "Numerical argument"
    assert in_german(OSError("nur ein Satz")) == "nur ein Satz"


def test_a_full_disk_of_the_database_is_told_in_german():
    told = translate(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "/ws/x"))
    assert told is not None
    assert "/ws/x: der Datenträger ist voll" in told.message
    assert "No space" not in told.message
