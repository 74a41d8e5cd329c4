from pathlib import Path
from typing import Any

import pytest
from support.smtp import MailServer, write_certificate

from data.errors import CheckupError
from data.settings import Settings, load_settings
from pipeline.mail import send

PAGE = "<!doctype html><p>Größe</p>"


def settings_for(folder: Path, **values: Any) -> Settings:
    given = {"smtp_host": "127.0.0.1", "mail_from": "checkup@example.org", "mail_to": "a@example.org; b@example.org"}
    return load_settings(folder / "ws", **{**given, **values})


def mail(settings: Settings) -> list[str]:
    return send(settings, subject="Neues: größer", text="Zeile\n.Punkt\n", html=PAGE)


def test_without_a_server_nothing_is_sent(tmp_path: Path) -> None:
    assert mail(load_settings(tmp_path / "ws")) == []


def test_a_mail_holds_text_and_page_and_is_encrypted_before_the_password_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(write_certificate(tmp_path)))
    monkeypatch.setenv("CHECKUP_SMTP_PASSWORD", "geheim")
    with MailServer(tmp_path, tls=True, user="u", password="geheim") as server:
        settings = settings_for(tmp_path, smtp_port=server.port, smtp_user="u")
        assert mail(settings) == ["a@example.org", "b@example.org"]
        assert "geheim" not in repr(settings)
    (got,) = server.mails
    assert (got.encrypted, got.user) == (True, "u")
    assert (got.sender, got.recipients) == ("checkup@example.org", ("a@example.org", "b@example.org"))
    assert got.message["Subject"] == "Neues: größer"
    plain, page = got.message.iter_parts()
    assert plain.get_content().splitlines() == ["Zeile", ".Punkt"]
    assert page.get_content().strip() == PAGE
    assert got.message["Date"]
    assert got.message["Message-ID"].endswith("@example.org>")


def test_a_certificate_that_nobody_vouches_for_is_refused(tmp_path: Path) -> None:
    with MailServer(tmp_path, tls=True) as server, pytest.raises(CheckupError, match="nicht gemailt"):
        mail(settings_for(tmp_path, smtp_port=server.port))
    assert server.mails == []


def test_only_this_computer_may_do_without_encryption(tmp_path: Path) -> None:
    with MailServer(tmp_path) as server:
        assert mail(settings_for(tmp_path, smtp_port=server.port))
        # a name that is not known to be this computer
        with pytest.raises(CheckupError, match="STARTTLS"):
            mail(settings_for(tmp_path, smtp_port=server.port, smtp_host="LOCALHOST"))
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("server", "values", "said"),
    [
        ({"user": "u", "password": "x"}, {"smtp_user": "u"}, "CHECKUP_SMTP_PASSWORD"),
        ({"refuse": "b@example.org"}, {}, r"abgelehnt: b@example\.org"),
        ({}, {"mail_to": "niemand"}, "mail_to"),
        ({}, {"mail_from": " "}, "mail_from"),
    ],
)
def test_what_a_server_or_a_setting_refuses_is_named(
    tmp_path: Path, server: dict[str, str], values: dict[str, str], said: str
) -> None:
    with MailServer(tmp_path, **server) as running, pytest.raises(CheckupError, match=said):
        mail(settings_for(tmp_path, smtp_port=running.port, **values))


def test_a_password_that_the_protocol_does_not_know_is_named_but_not_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CHECKUP_SMTP_PASSWORD", "geheimß")
    with MailServer(tmp_path, user="u", password="x") as server:
        with pytest.raises(CheckupError, match="CHECKUP_SMTP_PASSWORD") as caught:
            mail(settings_for(tmp_path, smtp_port=server.port, smtp_user="u"))
        assert "ß" not in caught.value.message


def test_a_server_that_is_not_there_is_named(tmp_path: Path) -> None:
    with MailServer(tmp_path) as server:
        port = server.port
    with pytest.raises(CheckupError, match=f"127.0.0.1:{port} nicht gemailt"):
        mail(settings_for(tmp_path, smtp_port=port))


def test_the_password_is_not_taken_from_the_workspace(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    (tmp_path / "ws" / "settings.toml").write_text('smtp_password = "geheim"\n', "utf-8")
    with pytest.raises(CheckupError, match="CHECKUP_SMTP_PASSWORD") as caught:
        load_settings(tmp_path / "ws")
    assert "geheim" not in caught.value.message
