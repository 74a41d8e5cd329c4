from pathlib import Path

import pytest

from data.errors import CheckupError
from data.settings import find_workspace, load_settings


def test_arguments_before_environment_before_file_before_default(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "settings.toml").write_text('encoder = "datei"\nthreads = 2\ncontact = "a@b.de"\n', encoding="utf-8")
    monkeypatch.setenv("CHECKUP_THREADS", "3")
    monkeypatch.setenv("CHECKUP_ENCODER", "umgebung")
    settings = load_settings(tmp_path, encoder="aufruf", threads=None)
    assert (settings.encoder, settings.threads, settings.contact) == ("aufruf", 3, "a@b.de")
    assert settings.module_set == "modules"
    assert settings.database_path == tmp_path / "checkup.sqlite"


def test_unknown_key_names_file_and_key(tmp_path: Path) -> None:
    (tmp_path / "settings.toml").write_text('encodr = "e5"\n', encoding="utf-8")
    with pytest.raises(CheckupError, match=r"settings\.toml.*„encodr“.*Bitte.*Bekannt sind: encoder") as caught:
        load_settings(tmp_path)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("threads = 0", "„threads“.*kleinste Wert ist 1"),
        ('threads = "viele"', "„threads“.*ganze Zahl"),
        ("encoder = 5", "„encoder“.*Text"),
        ("threads = ", "kein gültiges TOML"),
        ('module_set = "../x"', "Kleinbuchstaben"),
        ("reader_command = 5", "„reader_command“.*Befehl als Liste"),
        ('reader_command = ["x", 5]', "„reader_command“.*Befehl als Liste"),
        ('reader_command = [""]', "„reader_command“.*Befehl als Liste"),
        ("reader_command = 'leser \"x'", "„reader_command“.*Anführungszeichen"),
        ('reader_timeout_s = "lange"', "„reader_timeout_s“.*eine Zahl"),
        ('reading = "quick"', "„reading“.*'deep' oder 'rules'"),
        ("reader_timeout_s = 0", "„reader_timeout_s“.*kleinste Wert ist 1"),
        ("text_seconds = 0", "„text_seconds“.*kleinste Wert ist 1"),
    ],
)
def test_bad_value_in_the_file_names_it(tmp_path: Path, line: str, said: str) -> None:
    (tmp_path / "settings.toml").write_text(line + "\n", encoding="utf-8")
    with pytest.raises(CheckupError, match=f"settings\\.toml.*{said}"):
        load_settings(tmp_path)


def test_bad_value_in_the_environment_names_the_variable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CHECKUP_THREADS", "x")
    with pytest.raises(CheckupError, match="Umgebungsvariable CHECKUP_THREADS"):
        load_settings(tmp_path)


@pytest.mark.parametrize(
    ("line", "parts"),
    [
        ('["python3", "mein leser.py"]', ("python3", "mein leser.py")),
        ("\"python3 'mein leser.py' --x=#1\"", ("python3", "mein leser.py", "--x=#1")),
        ("[]", ()),
        ('" "', ()),
    ],
)
def test_a_command_is_a_list_or_a_line(tmp_path: Path, line: str, parts: tuple[str, ...]) -> None:
    (tmp_path / "settings.toml").write_text(f"reader_command = {line}\n", encoding="utf-8")
    assert load_settings(tmp_path).reader_command == parts


def test_a_command_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "settings.toml").write_text('reader_command = ["datei"]\n', encoding="utf-8")
    for given, parts in {"leser -x": ("leser", "-x"), '["mein leser"]': ("mein leser",), "[]": ()}.items():
        monkeypatch.setenv("CHECKUP_READER_COMMAND", given)
        assert load_settings(tmp_path).reader_command == parts


def test_settings_are_frozen(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings(tmp_path).encoder = "anderer"  # type: ignore[misc]


def test_workspace_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    beyond = find_workspace(None)
    assert beyond.is_absolute()
    assert tmp_path not in beyond.parents
    (tmp_path / "checkup-workspace").mkdir()
    assert find_workspace(None) == tmp_path / "checkup-workspace"
    monkeypatch.setenv("CHECKUP_WORKSPACE", str(tmp_path / "andere"))
    assert find_workspace(None) == tmp_path / "andere"
    assert find_workspace(Path("dritte")) == tmp_path / "dritte"
