"""Errors that a user can do something about; the command line turns them into a message and an exit code.

Below: nothing. Above: every layer raises these, `checkup.cli` prints them.
"""


class CheckupError(Exception):
    """A condition the user can mend.

    Args:
        message: German, plain, says what is wrong and what to do.
        exit_code: 2 usage, 3 cannot run, 4 done with failures (CONTRACT, "Exit codes").
    """

    def __init__(self, message: str, *, exit_code: int = 3) -> None:
        super().__init__(message)
        self.message = message
        self.exit_code = exit_code


class UsageError(CheckupError):
    """The call itself is wrong (exit code 2)."""

    def __init__(self, message: str) -> None:
        super().__init__(message, exit_code=2)
