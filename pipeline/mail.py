"""A report as a mail, over the server that the settings name.

Below: `data.settings`. Above: `checkup.reporting`. The connection is encrypted (STARTTLS) before anything else is said;
only a server on this very computer may do without.
"""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, getaddresses, make_msgid

from data.errors import CheckupError
from data.settings import Settings

TIMEOUT_S = 30
_HERE = ("localhost", "127.0.0.1", "::1")


def send(settings: Settings, *, subject: str, text: str, html: str) -> list[str]:
    """Mails a report as text with an HTML twin; returns the addresses it went to (none where no server is set).

    Raises:
        CheckupError: Incomplete settings, or the server could not be reached, is not encrypted or refused.
    """
    if settings.smtp_host is None:
        return []
    sender, recipients = _addresses(settings)
    message = EmailMessage()
    message["Subject"], message["From"], message["To"] = subject, sender, ", ".join(recipients)
    message["Date"], message["Message-ID"] = formatdate(localtime=True), make_msgid(domain=sender.rsplit("@", 1)[-1])
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    message.add_alternative(html, subtype="html")
    server = f"{settings.smtp_host}:{settings.smtp_port}"
    try:
        refused = _deliver(settings, settings.smtp_host, message, sender, recipients)
    except smtplib.SMTPAuthenticationError as error:
        raise CheckupError(
            f"{server} nimmt die Anmeldung nicht an. Bitte smtp_user und CHECKUP_SMTP_PASSWORD prüfen."
        ) from error
    except UnicodeError as error:
        # The protocol knows ASCII only; the error itself would show a part of the password.
        raise CheckupError(
            f"Der Bericht konnte über {server} nicht gemailt werden: smtp_host, smtp_user und CHECKUP_SMTP_PASSWORD "
            "dürfen nur ASCII-Zeichen enthalten, keine Umlaute oder Akzente."
        ) from error
    except (OSError, smtplib.SMTPException) as error:
        raise CheckupError(f"Der Bericht konnte über {server} nicht gemailt werden: {error}.") from error
    if refused:
        raise CheckupError(f"{server} hat diese Adressen abgelehnt: {', '.join(sorted(refused))}.")
    return recipients


def _deliver(
    settings: Settings, host: str, message: EmailMessage, sender: str, recipients: list[str]
) -> dict[str, tuple[int, bytes]]:
    with smtplib.SMTP(host, settings.smtp_port, timeout=TIMEOUT_S) as server:
        server.ehlo()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            server.ehlo()
        elif host not in _HERE:
            raise CheckupError(
                f"{host}:{settings.smtp_port} bietet keine Verschlüsselung (STARTTLS) an; es wurde nichts gesendet. "
                "Üblich ist der Anschluss 587."
            )
        if settings.smtp_user is not None:
            secret = settings.smtp_password
            server.login(settings.smtp_user, secret.get_secret_value() if secret is not None else "")
        return server.send_message(message, sender, recipients)


def _addresses(settings: Settings) -> tuple[str, list[str]]:
    """Sender and recipients.

    Raises:
        CheckupError: One of them is missing or no address.
    """
    found = {}
    for key, value in (("mail_from", settings.mail_from), ("mail_to", settings.mail_to)):
        found[key] = [address for _, address in getaddresses([(value or "").replace(";", ",")]) if address]
        if not found[key] or not all("@" in address and address.isprintable() for address in found[key]):
            raise CheckupError(
                f"Für Mails fehlt „{key}“ oder ist keine Adresse ({value!r}). Bitte in settings.toml nachtragen."
            )
    return found["mail_from"][0], found["mail_to"]
