"""The arrows of `docs/architecture.md` hold for every package and every module (import-linter, `pyproject.toml`)."""

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from support.children import children_environment

ROOT = Path(__file__).parents[1]
RULES = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
PACKAGES = {
    ".".join(path.parent.relative_to(ROOT).parts)
    for top in ROOT.glob("*/__init__.py")
    for path in top.parent.rglob("__init__.py")
    if top.parent.name != "tests"
}
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(*sys.argv[1:], no_cache=True))"


def lint(folder: Path, *config: str) -> subprocess.CompletedProcess[str]:
    environment = {**children_environment(folder), "PYTHONUTF8": "1"}
    command = [sys.executable, "-c", LINT, *config]
    return subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, encoding="utf-8", check=False
    )


def test_every_import_points_down() -> None:
    done = lint(ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_package_is_covered() -> None:
    assert set(RULES["root_packages"]) == {name for name in PACKAGES if "." not in name}
    (house,) = (rule for rule in RULES["contracts"] if rule["type"] == "layers" and "containers" not in rule)
    assert {name for layer in house["layers"] for name in layer.split(" | ")} == set(RULES["root_packages"])
    exhaustive = {name for rule in RULES["contracts"] if rule.get("exhaustive") for name in rule["containers"]}
    assert exhaustive == PACKAGES - {"bench"}


def test_only_reasoned_exceptions_are_made() -> None:
    """Beside the owners of outside packages: imports that run inside a function, or for types only."""
    between = {
        line for rule in RULES["contracts"] if rule["type"] == "layers" for line in rule.get("ignore_imports", [])
    }
    assert between == {
        "embeddings.e5_graph -> embeddings.e5_build",
        "embeddings.proxies -> embeddings.training",
        "pipeline.nlp.language -> pipeline.nlp.factories",
        "pipeline.retention -> pipeline.publish",
    }


@pytest.mark.parametrize(
    ("module", "wrong"),
    [("low", "import tower.high"), ("high", "import requests"), ("new", "")],
    ids=["upwards", "outside", "on no layer"],
)
def test_a_wrong_module_is_found(tmp_path: Path, module: str, wrong: str) -> None:
    (tmp_path / "tower").mkdir()
    for name in ("__init__", "high", "low"):
        (tmp_path / "tower" / f"{name}.py").write_text("", "utf-8")
    (tmp_path / "rules.toml").write_text(
        '[tool.importlinter]\nroot_packages = ["tower"]\ninclude_external_packages = true\n'
        '[[tool.importlinter.contracts]]\nname = "a"\ntype = "layers"\ncontainers = ["tower"]\nexhaustive = true\n'
        'layers = ["high", "low"]\n'
        '[[tool.importlinter.contracts]]\nname = "b"\ntype = "forbidden"\nsource_modules = ["tower"]\n'
        'forbidden_modules = ["requests"]\nignore_imports = ["tower.low -> requests"]\n'
        'unmatched_ignore_imports_alerting = "none"\n',
        "utf-8",
    )
    assert lint(tmp_path, "rules.toml").returncode == 0
    (tmp_path / "tower" / f"{module}.py").write_text(wrong, "utf-8")
    assert lint(tmp_path, "rules.toml").returncode == 1
