"""What the commands really answer, and what they really take, against the schemas in `docs/schemas`."""

import json
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from support.cli import call, write_lines
from support.crawling import YAML, links, project
from support.site import Site

from checkup.packages import repair
from e2e.conftest import PROJECTS, SITUATION, drop_duplicate_questions

FOLDER = Path(__file__).parents[2] / "docs" / "schemas"
REPORT = (
    "2019 fanden 57 von 80 Geflüchteten eine Arbeit, das Projekt kostete 120.000 Euro und erhielt den "
    "Integrationspreis 2020. Anfangs fehlten Räume. Es wurde 2021 dauerhaft in den Haushalt übernommen."
)
PAPER = (
    "In Musterstadt (Hessen, 23.000 Einwohner) finden anerkannte Geflüchtete keine Wohnung. Es gibt schon ein "
    "Sprachcafé, das gut läuft. Ältere Frauen erreichen wir mit den Kursen nicht. Mehr als 20.000 Euro haben wir nicht."
)


@cache
def schemas() -> dict[str, Any]:
    return {path.name: json.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.schema.json")}


@cache
def validator(name: str) -> Draft202012Validator:
    registry = Registry().with_resources((key, Resource.from_contents(value)) for key, value in schemas().items())
    return Draft202012Validator(schemas()[f"{name}.schema.json"], registry=registry)


def faults(name: str, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in validator(name).iter_errors(value)]


def assert_valid(name: str, *values: Any) -> None:
    assert values
    for value in values:
        assert faults(name, value) == []


def test_every_schema_is_one_and_refers_only_to_what_exists() -> None:
    used = set()
    for name, schema in schemas().items():
        Draft202012Validator.check_schema(schema)
        assert schema["$id"] == name
        used |= set(json.dumps(schema).split('"')) & {f"shared.schema.json#/$defs/{key}" for key in shared()}
    assert used == {f"shared.schema.json#/$defs/{key}" for key in shared()}


def shared() -> dict[str, Any]:
    return dict(schemas()["shared.schema.json"]["$defs"])


def test_the_schemas_name_the_vocabulary_as_it_is() -> None:
    from data.impact import EVIDENCE_GRADES, TIERS
    from data.records import STATES
    from data.vocabulary import load_vocabulary
    from matching.query import SIZES

    vocabulary = load_vocabulary()
    assert set(shared()["action_field"]["enum"]) == set(vocabulary.fields)
    assert set(shared()["target_group"]["enum"]) == set(vocabulary.groups)
    assert set(shared()["state"]["enum"]) == set(STATES)
    assert set(shared()["size"]["enum"]) == set(SIZES)
    assert set(shared()["tier"]["enum"]) == set(TIERS)
    assert set(shared()["evidence_grade"]["enum"]) == set(EVIDENCE_GRADES)


def test_match_and_analyse(home: Path, tmp_path: Path) -> None:
    answer, understood = call("match", PAPER, "--json", workspace=home).json(), call("analyse", PAPER, "--json").json()
    assert answer["id"] is understood["id"] is None
    texts = [PAPER, SITUATION, "asdf qwer", "Es ist alles schwierig.", "Rezept: Zwiebeln in Öl anbraten."]
    file = write_lines(tmp_path / "lagen.jsonl", [{"id": None, "text": text} for text in texts])
    answers = call("match", "--input", file, workspace=home).lines()
    readings = call("analyse", "--input", file).lines()
    assert (answers[0], readings[0]) == (answer, understood)
    assert_valid("match", *answers)
    assert_valid("analyse", *readings)
    for text, one, other in zip(texts, answers, readings, strict=True):
        for place in (*one["needs"], *other["needs"], *other["existing"], *other["limits"]):
            assert text[place["start"] : place["end"]] == place["statement"]


def test_an_answer_without_projects(home: Path) -> None:
    answer = call("match", SITUATION, "--impact", "proven", "--json", workspace=home).json()
    assert_valid("match", answer)
    assert (answer["abstained"], answer["abstained_because"]) == (True, "nothing_fits")


def test_a_text_out_of_a_file_comes_with_the_answer(home: Path, tmp_path: Path) -> None:
    file = tmp_path / "lage.md"
    file.write_text(PAPER, "utf-8")
    for command in ("match", "analyse", "extract"):
        answer = call(command, "--file", file, "--json", workspace=home).json()
        assert_valid(command, answer)
        assert answer["text"] == PAPER


@pytest.mark.parametrize("text", [REPORT, "Kauf von Büromöbeln für das Rathaus.", PROJECTS[0]["text"]])
def test_extract_gives_every_value_with_its_fact(text: str) -> None:
    answer = call("extract", text, "--json").json()
    assert_valid("extract", answer)
    assert answer["id"] is None
    told = {fact["property"]: fact["value"] for fact in answer["facts"]}
    scalars = ("reached_persons", "success_rate_percent", "budget_eur", "budget_kind", "price_year", "transferred")
    impact = {name: answer["impact"][name] for name in ("level", "evidence_grade")}
    values = {name: answer[name] for name in scalars} | impact
    stated = {name: value for name, value in values.items() if value not in (None, False, 0, "0")}
    assert {name: told.get(name) for name in stated} == stated


def test_batches(home: Path, tmp_path: Path) -> None:
    needs = call("analyse", PAPER, "--json").json()["needs"]
    lines: list[dict[str, Any]] = [
        {"id": "a", "text": PAPER, "filters": {"state": ["Hessen"], "min_level": 1, "unknown": "drop"}},
        {"id": 2, "text": PAPER, "needs": [*needs, {"need_id": "keine-wohnung-finden", "weight": 0.5}]},
        {"text": ""},
    ]
    assert_valid("match-input", *lines)
    got = call("match", "--input", write_lines(tmp_path / "l.jsonl", lines), workspace=home).lines()
    assert_valid("match", *got[:2])
    assert_valid("error", got[2])
    assert got[1]["needs"][-1]["statement"]
    for command, name in (("analyse", "analyse-input"), ("extract", "extract-input")):
        given = [{"id": "x", "text": PAPER}, {"id": None, "text": "?"}]
        assert_valid(name, *given)
        got = call(command, "--input", write_lines(tmp_path / "l.jsonl", given)).lines()
        assert_valid(command, got[0])
        assert_valid("error", got[1])
    assert faults("match-input", {"id": 1}) != []
    assert faults("match-input", {"text": "x", "filters": {"land": []}}) != []


def test_projects_in_and_out(home: Path) -> None:
    assert_valid("project", *PROJECTS)
    assert_valid("project", *call("export", workspace=home).lines())
    full = call("export", "--full", workspace=home).lines()
    assert_valid("project-full", *full)
    assert [line["id"] for line in full] == sorted(one["id"] for one in PROJECTS)
    shown = call("show", "wohnlotsen", "--json", workspace=home).json()
    assert_valid("project-full", shown)
    assert faults("project", {"id": "x"}) != []


def test_import_names_what_it_refused(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "x.jsonl"
    file.write_text('{"id": "y", "text": "Ein Chor für alle."}\n{"id": "ohne"}\nkaputt\n', "utf-8")
    answer = call("import", file, "--json", workspace=workspace)
    assert answer.code == 4
    assert_valid("import", answer.json())
    assert len(answer.json()["rejected"]) == 2
    file.write_text('{"id": "ohne"}\n', "utf-8")
    assert_valid("import", call("import", file, "--json", workspace=workspace).json())


def test_looking_at_the_workspace(workspace: Path) -> None:
    listed = call("list", "--json", workspace=workspace).json()
    assert_valid("list", listed)
    assert len(listed["projects"]) == len(PROJECTS)
    assert_valid("coverage", call("coverage", "--json", workspace=workspace).json())
    assert_valid("status", call("status", "--json", workspace=workspace).json())
    assert_valid("reindex", call("reindex", "--json", workspace=workspace).json())
    assert_valid("explain-project", call("explain", "wohnlotsen", "--json", workspace=workspace).json())
    (workspace / "index" / "CURRENT").unlink()
    broken = call("status", "--json", workspace=workspace).json()
    assert_valid("status", broken)
    assert broken["index"]["usable"] is False


def test_doctor_names_a_remedy_for_every_finding(workspace: Path, tmp_path: Path) -> None:
    well = call("doctor", "--json", workspace=workspace)
    assert (well.code, well.json()["ok"]) == (0, True)
    assert_valid("doctor", well.json())
    (workspace / "index" / "CURRENT").unlink()
    (workspace / "sources").mkdir()
    (workspace / "sources" / "kaputt.yaml").write_text("name: [", "utf-8")
    ill = call("doctor", "--json", workspace=workspace)
    assert ill.code == 4
    assert_valid("doctor", ill.json())
    wrong = {finding["check"]: finding["remedy"] for finding in ill.json()["findings"] if not finding["ok"]}
    assert set(wrong) == {"Index", "Quellen"}
    assert all(wrong.values())
    assert call("doctor", workspace=tmp_path / "fehlt").code == 4
    assert not (tmp_path / "fehlt").exists()


@pytest.mark.parametrize(
    ("content", "place"),
    [
        (b'encoder = "e5"\nthreads = \n', "Zeile 2"),
        (b'encoder = "e5"\n\nthreads = 0\n', "Zeile 3"),
        (b'# so\nencodr = "e5"\n', "Zeile 2"),
        (b'contact = "M\xfcller"\n', "Zeile 1"),
        (b"[threads]\nx = 1\n", "Zeile 1"),
        (b'contact = """', "am Ende"),
        (b'threads = 2\nsmtp_password = "x"\n', "Zeile 2"),
    ],
)
def test_broken_settings_do_not_end_doctor(workspace: Path, content: bytes, place: str) -> None:
    (workspace / "settings.toml").write_bytes(content)
    answer = call("doctor", "--json", workspace=workspace)
    assert answer.code == 4, answer.err
    assert_valid("doctor", answer.json())
    findings = {finding["check"]: finding for finding in answer.json()["findings"]}
    assert [name for name, finding in findings.items() if not finding["ok"]] == ["Einstellungen"]
    assert str(workspace / "settings.toml") in findings["Einstellungen"]["message"]
    assert place in findings["Einstellungen"]["message"]
    assert "Bitte" in findings["Einstellungen"]["remedy"]
    assert {"Pakete", "Sprachmodell", "Datenbank", "Index"} <= set(findings)
    other = call("match", "Uns fehlen Wohnungen.", workspace=workspace)
    assert other.code == 3
    assert place in other.err


def test_doctor_names_packages_that_are_not_as_locked(workspace: Path, tmp_path: Path) -> None:
    (tmp_path / "courlan.py").write_text("raise ImportError('kaputt')", "utf-8")
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\nfrom checkup.cli import main\n"
        "raise SystemExit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "--workspace", str(workspace), "doctor", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 4, done.stderr
    findings = {finding["check"]: finding for finding in json.loads(done.stdout)["findings"]}
    assert "courlan lässt sich nicht laden (ImportError: kaputt)" in findings["Pakete"]["message"]
    assert findings["Pakete"]["remedy"] == repair()


def test_knowledge() -> None:
    from data.vocabulary import load_vocabulary

    vocabulary = load_vocabulary()
    need = next(iter(vocabulary.needs))
    assert_valid("explain-need", call("explain", "--need", need, "--json").json())
    approach = vocabulary.needs[need].arrows[0].approach
    assert_valid("explain-approach", call("explain", "--approach", approach, "--json").json())
    # All of them at once, without reading the vocabulary anew each time.
    from checkup.knowledge import approach_card, need_card

    assert_valid("explain-need", *(need_card(vocabulary, name) for name in vocabulary.needs))
    assert_valid("explain-approach", *(approach_card(vocabulary, name) for name in vocabulary.approaches))


def test_sources_and_refresh(workspace: Path, tmp_path: Path) -> None:
    pages = {"/": links("/projekt/1", "/projekt/2", "/projekt/leer"), "/projekt/1": project("Lotsen"),
             "/projekt/2": project("Chor", '<p class="land">Hessen</p>')}  # fmt: skip
    with Site(pages) as site:
        source = tmp_path / "probe.yaml"
        source.write_text(YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none"), "utf-8")
        answer = call("sources", "check", source, "--json")
        assert_valid("sources-check", answer.json())
        assert {record["title"] for record in answer.json()["records"]} == {"Lotsen", "Chor"}
        assert answer.json()["refused"]
        assert_valid("refresh", call("refresh", "--source", source, "--json", workspace=workspace).json())
        documents = call("export", "--documents", "-", workspace=workspace).lines()
        assert_valid("export-documents", *documents)
        assert {line["title"]: line["facts"] for line in documents} == {"Lotsen": {}, "Chor": {"state": "Hessen"}}
        assert_valid("diff", call("diff", "--last", "--json", workspace=workspace).json())
        site.pages["/projekt/1"] = project("Lotsen", "<p>2024 begleiteten sie 57 Geflüchtete.</p>")
        site.pages["/"] = links("/projekt/1")
        held = call("refresh", "--source", source, "--json", workspace=workspace).json()
        assert held["held"]
        assert_valid("refresh", held)
        site.pages["/"] = links("/projekt/1", "/projekt/2")
        call("refresh", "--source", source, workspace=workspace)
        changes = call("diff", "--last", "--json", workspace=workspace).json()
        assert_valid("diff", changes)
        assert [event["kind"] for event in changes["events"]] == ["changed", "label_changed"]
    assert_valid("sources-list", call("sources", "list", "--json").json())


def test_evaluate(home: Path, tmp_path: Path) -> None:
    gold = {"action_fields": ["wohnen"], "target_groups": ["gefluechtete"], "wirkungstreppe": 6, "evidence": 1,
            "reached_persons": 57, "success_rate_percent": None, "budget_eur": None, "awards": [],
            "transferred": False}  # fmt: skip
    told = {"action_fields_needed": ["wohnen"], "action_fields_covered": [], "target_groups": ["gefluechtete"],
            "population": None, "state": None, "budget_limit": False, "needs": [{"field": "wohnen"}]}  # fmt: skip
    write_lines(tmp_path / "projects.jsonl", [{**PROJECTS[0], "gold": gold}, *PROJECTS[1:]])
    assert_valid("evaluate", call("evaluate", tmp_path, "--json").json())
    write_lines(tmp_path / "situations.jsonl", [{"id": "s", "kind": "short", "text": SITUATION, "gold": told}])
    write_lines(tmp_path / "qrels.jsonl", [{"id": "s", "rel": {"wohnlotsen": 3}, "by_need": [{"wohnlotsen": 3}]}])
    answer = call("evaluate", tmp_path, "--json").json()
    assert_valid("evaluate", answer)
    assert answer["ranking"]["per_situation"]["s"] == 1.0
    for path in ("situations.jsonl", "qrels.jsonl"):
        (tmp_path / path).unlink()
    write_lines(tmp_path / "projects.jsonl", PROJECTS)
    assert_valid("evaluate", call("evaluate", tmp_path, "--json").json())


def test_seed(seeded: Path) -> None:
    assert_valid("seed", json.loads((seeded.parent / "seed.json").read_text("utf-8")))


def test_review_history_and_feedback(workspace: Path, tmp_path: Path) -> None:
    from data.settings import load_settings
    from data.store import Store
    from data.store_curation import Changes, Question, write_changes

    text = (
        "Sprachkurs für Geflüchtete. Eine Studie der Universität mit Kontrollgruppe lief. Es zeigte sich kein Effekt."
    )
    records = [{"id": f"x{number}", "text": text, "end_year": 2030} for number in range(3)]
    assert call("import", write_lines(tmp_path / "x.jsonl", records), workspace=workspace).code == 0
    drop_duplicate_questions(workspace)
    with Store.open(load_settings(workspace)) as store, store.writing("test"):
        pairs = [("x0", "x1"), ("x0", "arzt")]
        write_changes(
            store, Changes(asked=[Question(project_id=a, other_id=b, score=0.8, detail="x") for a, b in pairs])
        )
    listed = call("review", "list", "--json", workspace=workspace).json()
    assert_valid("review-list", listed)
    numbers: dict[str, list[int]] = {}
    for row in listed["reviews"]:
        numbers.setdefault(row["kind"], []).append(row["id"])
        assert_valid("review-show", call("review", "show", row["id"], "--json", workspace=workspace).json())
    one, two, three = numbers["claimed_x"]
    same, different = numbers["duplicate"]
    sheet = tmp_path / "liste.xlsx"
    assert call("review", "--xlsx", sheet, workspace=workspace).code == 0
    assert_valid("review", call("review", "--apply", sheet, "--json", workspace=workspace).json())
    for name, arguments in {
        "review-accept": ("accept", one),
        "review-correct": ("correct", two, "1"),
        "review-verify": ("verify", three, "https://example.org/e"),
        "review-different": ("different", different),
        "review-same": ("same", same),
    }.items():
        got = call("review", *arguments, "--json", workspace=workspace)
        assert got.code == 0, got.err
        assert_valid(name, got.json())
    judged = call("history", "x0", "--json", workspace=workspace).json()["judgements"][-1]["id"]
    assert_valid("review-withdraw", call("review", "withdraw", judged, "--json", workspace=workspace).json())
    assert_valid("review-list", call("review", "list", "--decided", "--json", workspace=workspace).json())
    assert_valid("feedback", call("feedback", "x2", "adopted", "--json", workspace=workspace).json())
    pairs_file = tmp_path / "paare.jsonl"
    assert_valid("feedback", call("feedback", "--export", pairs_file, "--json", workspace=workspace).json())
    assert_valid("feedback-export", *(json.loads(line) for line in pairs_file.read_text("utf-8").splitlines()))
    history = call("history", "x0", "--json", workspace=workspace).json()
    assert_valid("history", history)
    assert history["judgements"]
    assert history["reviews"]


def test_schedule_and_situations(workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # A stand-in for systemctl that is on every computer and does nothing.
    folder, does_nothing = tmp_path / "units", f'{sys.executable} -c ""'
    monkeypatch.setattr("crawlers.source.SHIPPED", tmp_path)
    common = ("--system", "systemd", "--folder", folder, "--json")
    assert_valid("schedule-show", call("schedule", "show", *common, workspace=workspace).json())
    for name in ("schedule-install", "schedule-remove"):
        command = name.removeprefix("schedule-")
        for _ in range(2):
            got = call("schedule", command, *common, "--systemctl", does_nothing, workspace=workspace)
            assert got.code == 0, got.err
            assert_valid(name, got.json())
    assert list(folder.iterdir()) == []
    assert_valid("schedule-run-due", call("schedule", "run-due", "--json", workspace=workspace).json())
    pages = {"/": links("/projekt/1", "/projekt/2"), "/projekt/1": project("Lotsen"), "/projekt/2": project("Chor")}
    with Site(pages) as site:
        (workspace / "sources").mkdir()
        yaml = YAML.format(base=site.url().rstrip("/"), host=site.host, sitemap="none")
        (workspace / "sources" / "probe.yaml").write_text(yaml.replace(", state: 0.5", ""), "utf-8")
        done = call("schedule", "run-due", "--json", workspace=workspace)
        assert_valid("schedule-run-due", done.json())
        assert done.json()["report"]
    assert_valid("schedule-show", call("schedule", "show", *common, workspace=workspace).json())
    saved = call("situations", "save", "ort", SITUATION, "--json", workspace=workspace).json()
    assert_valid("situations-save", saved)
    assert saved["best"]
    assert_valid("situations-list", call("situations", "list", "--json", workspace=workspace).json())
    assert_valid("situations-show", call("situations", "show", "ort", "--json", workspace=workspace).json())
    assert_valid("situations-delete", call("situations", "delete", "ort", "--json", workspace=workspace).json())


def test_erasing_backing_up_and_restoring(workspace: Path, tmp_path: Path) -> None:
    file = tmp_path / "sicherung.zip"
    assert_valid("backup", call("backup", file, "--json", workspace=workspace).json())
    told = {
        "erase-project": ("project", "wohnlotsen"),
        "erase-page": ("page", "https://example.org/seite"),
        "erase-source": ("source", "projekte.jsonl"),
        "erase-person": ("person", "Xaloni Trebürow"),
    }
    for name, arguments in told.items():
        got = call("erase", *arguments, "--reason", "Wunsch", "--json", workspace=workspace)
        assert got.code == 0, got.err
        assert_valid(name, got.json())
    assert_valid("restore", call("restore", file, "--force", "--json", workspace=workspace).json())
