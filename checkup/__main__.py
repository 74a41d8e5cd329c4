"""`python -m checkup`."""

from checkup.cli import entry

if __name__ == "__main__":
    entry()
