from sqlalchemy import insert, select

from data.person_names import Names
from data.records import Project
from data.store_mask import mask_stored
from data.store_situations import save_situation, saved_situations
from data.tables import meta, projects, sources


def test_names_of_situations_and_files_are_masked_and_stay_apart(store):
    given = (("a", "import", "Anna Weber.jsonl"), ("b", "import", "ANNA WEBER.jsonl"), ("c", "crawl", "anna-weber"))
    with store.writing("import"):
        for number, (one, origin, source) in enumerate(given):
            text = f"Text {number}"
            store.upsert_projects(
                [Project(id=one, text=text)], origin=origin, source=source, kind="original", fetched_at="2026-01-01"
            )
        for name in ("Anna Weber", "anna weber", "Weber, Anna", "Ort"):
            save_situation(store, name, "x", [])
        with store._transaction() as connection:
            connection.execute(insert(meta).values(key="refresh:anna-weber", value="{}"))
            mask_stored(connection, Names.of("Anna Weber"))
            of_project = {row.id: row.source for row in connection.execute(select(projects.c.id, projects.c.source))}
            known = set(connection.execute(select(sources.c.name)).scalars())
    mask = "█" * 10
    assert of_project["a"] == of_project["b"] == f"{mask}.jsonl"
    assert of_project["c"] == "anna-weber"  # the next crawl would not know its projects again
    assert known == {f"{mask}.jsonl", "anna-weber"}
    assert sorted(one.name for one in saved_situations(store)) == ["Ort", mask, f"{mask} 2", f"{mask}█"]
