import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.children import children_environment

from data.cache_files import KeptTable, Table, TableDamagedError, cache_folder, table_bytes, write_atomically

WORDS = {"häuser": "haus", "kinder": "kind", "": "leer", "ab": "", "b": "ab"}
TEXTS = st.text(st.characters(blacklist_characters="\0\1", blacklist_categories=()), max_size=8)


class Source:
    """Entries that count how often they are asked for."""

    def __init__(self, entries):
        self.entries = entries
        self.asked = 0

    def __call__(self):
        self.asked += 1
        return self.entries


def written(path, entries, stamp="v1"):
    path.write_bytes(b"".join(table_bytes(stamp, entries)))
    return path


@given(st.dictionaries(TEXTS, TEXTS, max_size=40), TEXTS)
@settings(max_examples=60, deadline=None)
def test_a_table_answers_as_the_dictionary_it_was_made_of(tmp_path_factory, entries, other):
    table = Table(written(tmp_path_factory.mktemp("t") / "t.table", entries), "v1")
    assert {key: table.get(key) for key in entries} == entries
    assert table.get(other) == entries.get(other)


def test_bytes_that_divide_entries_are_refused_and_never_found():
    for bad in ({"a\0": "b"}, {"a\1": "b"}, {"a": "\0"}, {"a": "b\1"}):
        with pytest.raises(ValueError, match="cannot be kept"):
            list(table_bytes("v1", bad))


def test_a_key_that_spells_two_neighbours_is_not_found(tmp_path):
    table = Table(written(tmp_path / "t.table", {"a": "b", "c": "d"}), "v1")
    assert table.get("a\1b\0c") is None


def test_another_stamp_and_other_files_are_refused(tmp_path):
    path = written(tmp_path / "t.table", WORDS)
    for content in (b"", b"CHECKUPT1", path.read_bytes()[:12], b"PK" + path.read_bytes()[2:]):
        path.with_name("bad").write_bytes(content)
        with pytest.raises(TableDamagedError):
            Table(path.with_name("bad"), "v1")
    with pytest.raises(TableDamagedError):
        Table(path, "v2")
    with pytest.raises(TableDamagedError):
        Table(path, "v10")


def test_every_flipped_byte_is_noticed_or_harmless(tmp_path):
    content = b"".join(table_bytes("v1", WORDS))
    unseen = set()
    for place in range(len(content)):
        path = tmp_path / f"{place}.table"
        path.write_bytes(content[:place] + bytes([content[place] ^ 0x15]) + content[place + 1 :])
        source = Source(WORDS)
        table = KeptTable(path, "v1", source)
        assert {word: table.get(word) for word in WORDS} == WORDS, place
        if not source.asked:
            unseen.add(place)
    ends = content.index(b"v1") + 2 + 3 * 4  # of 0 and of both buckets: past the file's end nothing more can be read
    assert unseen <= set(range(ends - 4, ends))


def test_a_file_that_is_cut_off_is_made_again(tmp_path):
    path = written(tmp_path / "t.table", WORDS)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        table = KeptTable(path, "v1", lambda: WORDS)
        assert {word: table.get(word) for word in WORDS} == WORDS, length
        assert path.read_bytes() == whole, length


def test_a_table_is_made_once_and_again_for_a_new_version(tmp_path):
    path = tmp_path / "new" / "t.table"
    first, second = Source(WORDS), Source({"kinder": "kindlein"})
    for _ in range(2):
        assert KeptTable(path, "v1", first).get("kinder") == "kind"
    assert KeptTable(path, "v2", second).get("kinder") == "kindlein"
    assert (first.asked, second.asked) == (1, 1)
    assert [one.name for one in path.parent.iterdir()] == ["t.table"]


def test_where_nothing_can_be_written_the_entries_stay_in_memory(tmp_path):
    (tmp_path / "file").write_text("no folder")
    assert KeptTable(tmp_path / "file" / "t.table", "v1", lambda: WORDS).get("kinder") == "kind"


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(tmp_path):
    def parts():
        yield b"half"
        raise OSError("full")

    path = tmp_path / "t"
    write_atomically(path, [b"old"])
    with pytest.raises(OSError, match="full"):
        write_atomically(path, parts())
    assert path.read_bytes() == b"old"
    assert [one.name for one in tmp_path.iterdir()] == ["t"]


def test_processes_that_start_together_all_get_right_answers(tmp_path):
    code = (
        "import sys; from pathlib import Path; from data.cache_files import KeptTable\n"
        "words = {str(n): str(n * n) for n in range(20_000)}\n"
        "for _ in range(5):\n"
        "    table = KeptTable(Path(sys.argv[1]), 'v1', lambda: words)\n"
        "    assert all(table.get(word) == value for word, value in words.items())\n"
        "    Path(sys.argv[1]).unlink(missing_ok=True)\n"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "t.table")]
    running = [
        subprocess.Popen(command, env=children_environment(), stderr=subprocess.PIPE, text=True) for _ in range(2)
    ]
    for process in running:
        assert process.communicate(timeout=120)[1] == ""
        assert process.returncode == 0
    assert not list(tmp_path.glob("part-*"))


def test_the_environment_names_the_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("CHECKUP_CACHE", str(tmp_path))
    assert cache_folder() == tmp_path
    monkeypatch.delenv("CHECKUP_CACHE")
    assert cache_folder().name == "checkup-integration"
