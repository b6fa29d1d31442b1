"""`smartrisk lineage` shows the chain of one score, and where it breaks."""

from __future__ import annotations

import pytest

import smartrisk as sr
from smartrisk.cli import main
from smartrisk.lineage import digest_file
from smartrisk.schema import DECLARATIONS, ColumnMap


@pytest.fixture(scope="module")
def chain(engine, world, tmp_path_factory):
    """Return a file, its map, and a ledger of decisions on its items."""
    folder = tmp_path_factory.mktemp("chain")
    columns = ColumnMap({"importer_id": "NIF"})
    columns.to_toml(folder / "map.toml")
    items = world.declarations.tail(30).rename(columns={"importer_id": "NIF"})
    items.to_csv(folder / "items.csv", index=False)
    read = sr.intake.read_table(folder / "items.csv", file=columns.file)
    new = sr.validation.validate(read, DECLARATIONS, columns=columns)
    decisions = engine.select(new, 3, guard="off")
    with sr.ledger.Ledger(folder / "decisions.sqlite") as ledger:
        ledger.record(
            decisions, declarations=new, scores=engine.score(new, guard="off")
        )
    engine.save(folder / "engine")
    return folder, decisions.iloc[4]


def trace(folder, key, *words):
    """Run the command on the ledger of a folder."""
    ledger = ["--ledger", str(folder / "decisions.sqlite")]
    engine = ["--engine", str(folder / "engine")]
    return main(["lineage", *ledger, *engine, key, *words])


def test_a_score_is_traced_to_file_line_digest_map_and_engine(chain, engine, capsys):
    folder, item = chain
    key = f"{item['declaration_id']}/{item['item_number']}"
    path = folder / "items.csv"
    columns = ("--columns", str(folder / "map.toml"))
    assert trace(folder, key, *columns, str(path)) == 0
    shown = capsys.readouterr().out
    assert f"line 6 of SHA-256 {digest_file(path)}" in shown
    assert f"version {engine.version_}" in shown
    assert f"declaration_id={item['declaration_id']}" in shown
    assert "the chain is complete" in shown


def test_a_changed_file_map_or_engine_is_noticed(chain, tmp_path, capsys):
    folder, item = chain
    key = f"{item['declaration_id']}/{item['item_number']}"
    changed = tmp_path / "items.csv"
    text = (folder / "items.csv").read_text(encoding="utf-8")
    changed.write_text(text.replace("NMB", "NMC", 1), encoding="utf-8")
    ColumnMap({"importer_id": "NIF"}, day_first=True).to_toml(tmp_path / "map.toml")
    words = ("--columns", str(tmp_path / "map.toml"), str(changed))
    assert trace(folder, key, *words) == 1
    shown = capsys.readouterr().out
    assert f"{changed} has {digest_file(changed)}" in shown
    assert "it was changed since" in shown
    assert "2 links are missing or broken" in shown
    assert trace(folder, key) == 1
    assert "no file was passed" in capsys.readouterr().out
    assert trace(folder, "nobody/7") == 2
    assert "no decision on 'nobody/7'" in capsys.readouterr().err
