"""What the operating system refused, in German: its own words are English on most machines.

Below: the standard library. Above: everything that reads or writes a file and tells a person why it could not.
"""

import errno

_REASONS = {
    "EACCES": "keine Berechtigung", "EPERM": "keine Berechtigung", "EROFS": "der Datenträger ist nur lesbar",
    "ENOENT": "das gibt es nicht", "ENOTDIR": "ein Teil des Pfades ist kein Ordner", "EISDIR": "das ist ein Ordner",
    "EEXIST": "das gibt es schon", "ENOTEMPTY": "der Ordner ist nicht leer", "ENAMETOOLONG": "der Name ist zu lang",
    "ENOSPC": "der Datenträger ist voll", "EDQUOT": "der zugeteilte Platz ist aufgebraucht",
    "EFBIG": "die Datei würde zu groß", "EIO": "Lese- oder Schreibfehler des Datenträgers",
    "ELOOP": "die Verweise führen im Kreis", "EBUSY": "es ist in Gebrauch", "ETXTBSY": "es ist in Gebrauch",
    "EMFILE": "zu viele offene Dateien", "ENFILE": "zu viele offene Dateien",
    "ENOEXEC": "das ist kein ausführbares Programm", "ENOMEM": "der Arbeitsspeicher reicht nicht",
    "EPIPE": "die Gegenseite hat geschlossen", "ECONNREFUSED": "die Verbindung wurde abgelehnt",
    "ECONNRESET": "die Verbindung wurde abgebrochen", "ETIMEDOUT": "keine Antwort in der vorgesehenen Zeit",
    "EHOSTUNREACH": "der Rechner ist nicht erreichbar", "ENETUNREACH": "das Netz ist nicht erreichbar",
}  # fmt: skip
"""By the name of the number: not every system has every one."""
_SHARING_VIOLATIONS = (32, 33)
"""Windows' own numbers of what is open or locked elsewhere, which Python tells as a lack of permission."""


def in_german(error: OSError) -> str:
    """Why it failed, as the end of a sentence; the system's own words where its number is not listed."""
    if getattr(error, "winerror", None) in _SHARING_VIOLATIONS:
        return "ein anderes Programm hat die Datei geöffnet"
    known = _REASONS.get(errno.errorcode.get(error.errno or 0, ""))
    return known or error.strerror or str(error)
