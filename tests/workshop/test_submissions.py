"""What teams hand in: each wrong file has one line, and stops no other."""

from __future__ import annotations

import pytest

from smartrisk.errors import ArgumentError
from smartrisk.languages import render
from smartrisk.workshop import Competition

KEY = ["declaration_id", "item_number"]


def write(path, items, **options):
    """Write the keys of items as CSV."""
    path.parent.mkdir(parents=True, exist_ok=True)
    items[KEY].to_csv(path, index=False, **options)


@pytest.fixture(scope="module")
def sent(sealed, round_items, tmp_path_factory):
    """Return the scores of a folder with good and wrong files."""
    folder = tmp_path_factory.mktemp("sent")
    items, later = round_items(1), round_items(2)
    write(folder / "good_round1.csv", items.head(10))
    write(folder / "many_round1.csv", items.head(11))
    write(folder / "other_round1.csv", later.head(3))
    twice = items.head(4).iloc[[0, 1, 0, 2, 1]]
    write(folder / "twice_round1.csv", twice)
    (folder / "empty_round1.csv").write_bytes(b"")
    (folder / "head_round1.csv").write_text("declaration_id,item_number\n")
    (folder / "columns_round1.csv").write_text("declaration_id,line\nD1,1\n")
    (folder / "picture_round1.csv").write_bytes(b"\x89PNG\r\n\0\0\0")
    (folder / "sheet_round1.xlsx").write_bytes(b"PK\x03\x04")
    (folder / "nobody.csv").write_text("declaration_id,item_number\nD1,1\n")
    write(folder / "late_round4.csv", items.head(1))
    (folder / "team" / "notes").mkdir(parents=True)
    (folder / "broken_engine").mkdir()
    (folder / "broken_engine" / "manifest.json").write_text("{}")
    return sealed.score(folder)


#: File -> what its line says in English, French and Spanish.
LINES = {
    "many_round1.csv": ("11 items are chosen", "capacité", "capacidad"),
    "other_round1.csv": ("3 items are not among", "ne sont pas", "no son de"),
    "twice_round1.csv": ("2 items are chosen twice", "deux fois", "dos veces"),
    "empty_round1.csv": ("is empty", "est vide", "está vacío"),
    "head_round1.csv": ("no item", "aucun article", "ningún artículo"),
    "columns_round1.csv": ("'item_number' are missing", "manquent", "faltan"),
    "picture_round1.csv": ("is not CSV", "n'est pas au format", "no es CSV"),
    "sheet_round1.xlsx": ("is not CSV", "n'est pas au format", "no es CSV"),
    "nobody.csv": ("must have team and round", "doit indiquer", "debe indicar"),
    "late_round4.csv": ("round from 1 to 3", "de 1 à 3", "de 1 a 3"),
    "team/notes": ("no saved engine", "pas de moteur", "ningún motor"),
    "broken_engine": ("cannot be read", "illisible", "no se puede leer"),
}


@pytest.mark.parametrize("path", LINES)
def test_each_wrong_file_has_one_line_in_each_language(sent, path):
    for lang, words in zip(("en", "fr", "es"), LINES[path], strict=True):
        lines = [render(line, lang) for line in sent.problems()]
        own = [line for line in lines if line.startswith(path)]
        assert len(own) == 1
        assert words in own[0]
        assert "\n" not in own[0]
        assert len(own[0]) < 400


def test_wrong_files_stop_no_other_and_count_for_nothing(sent):
    files = sent.files().set_index("path")
    assert files.index[files["counts"]].tolist() == ["good_round1.csv"]
    assert set(files.index[files["problem"] != ""]) == set(LINES)
    frame = sent.standings.frame().set_index("player")
    assert frame.loc["good", "controls"] == 10
    assert "many" not in frame.index  # it has no file that counts


def test_all_that_is_wrong_with_the_items_is_in_the_line(sealed, round_items, tmp_path):
    items = round_items(1)
    mixed = items.head(12).iloc[[0, 0, *range(1, 12)]]
    text = mixed[KEY].to_csv(index=False) + "D000,1\n"
    (tmp_path / "red_round1.csv").write_text(text)
    (line,) = [str(problem) for problem in sealed.score(tmp_path).problems()]
    for part in ("1 items are chosen twice", "1 items are not among", "13 items are"):
        assert part in line


def test_the_last_version_without_a_problem_counts_and_all_are_listed(
    sealed, round_items, tmp_path
):
    items = round_items(1)
    write(tmp_path / "red_round1.csv", items.head(3))
    write(tmp_path / "red_round1_v2.csv", items.head(4))
    write(tmp_path / "red_round1_v10.csv", items.head(5))
    write(tmp_path / "Red" / "round1_v11.csv", items.head(11))
    scores = sealed.score(tmp_path)
    files = scores.files().set_index("version")
    assert files["counts"].to_dict() == {1: False, 2: False, 10: True, 11: False}
    assert files["team"].nunique() == 1
    assert files["digest"].nunique() == 4
    frame = scores.standings.frame()
    assert frame.loc[frame["kind"] == "team", "controls"].tolist() == [5]


def test_a_file_that_a_team_overwrites_is_kept_beside_the_key(
    own_copy, round_items, tmp_path
):
    competition = Competition.from_key(own_copy)
    path = tmp_path / "sent" / "red" / "round1.csv"
    written = []
    for n_chosen in (3, 4, 4):
        write(path, round_items(1).head(n_chosen))
        written.append(path.read_bytes())
        competition.score(tmp_path / "sent")
    kept = [file.read_bytes() for file in own_copy.glob("versions/red/*_round1.csv")]
    assert sorted(kept) == sorted(set(written))
    assert len(kept) == 2


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("red_round1.csv", "declaration_id;item_number\n{id};{n},0\n"),
        ("red round 1.csv", "\ufeffDeclaration_ID\titem number\n{id}\t0{n}\n"),
        ("red_manche1.csv", "numéro d'article;déclaration\n{n};{id}\n"),
        ("red-ronda1.CSV", "a,declaration_id,item_number\r\nx, {id} ,{n}.0\r\n\r\n"),
        ("red/round1.csv", 'declaration_id,item_number\n"{id}","{n}"\n,\n'),
        ("red/red_round1_v3.csv", "declaration_id,item_number\n{id},{n}"),
    ],
)
def test_what_spreadsheets_write_is_read(sealed, round_items, tmp_path, name, text):
    item = round_items(1).iloc[0]
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    filled = text.format(id=item["declaration_id"], n=item["item_number"])
    path.write_text(filled, "utf-8", newline="")
    scores = sealed.score(tmp_path)
    assert [str(line) for line in scores.problems()] == []
    frame = scores.standings.frame().set_index("player")
    assert frame.loc["red", "controls"] == 1


def test_a_file_replaces_the_engine_of_its_team_in_its_round(
    sealed, class_folder, round_items, read_class, tmp_path
):
    from smartrisk import RiskEngine, schema

    results = read_class(class_folder, "results.csv", schema.OUTCOMES)
    engine = RiskEngine(random_state=0)
    engine.fit(read_class(class_folder, "declarations.csv"), results)
    engine.save(tmp_path / "red" / "engine")
    write(tmp_path / "red" / "round2.csv", round_items(2).head(1))
    scores = sealed.score(tmp_path)
    rounds = scores.standings.rounds().set_index(["player", "round"])
    for number in (1, 3):
        own = rounds.loc["red", number]
        reference = rounds.loc["engine", number]
        assert own["net_benefit"] == reference["net_benefit"]
        assert own["controls"] == reference["controls"] > 1
    assert rounds.loc[("red", 2), "controls"] == 1


def test_a_folder_that_is_absent_is_an_error(sealed, tmp_path):
    with pytest.raises(ArgumentError, match="is no folder"):
        sealed.score(tmp_path / "absent")
