"""Tables on disk, their ranges, and items that are there twice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import TableError
from smartrisk.items import item_ids
from smartrisk.scale import _executors
from smartrisk.scale._pieces import list_pieces
from smartrisk.scale._repeated import check_repeated
from smartrisk.scale._runs import join_ranges, write_run


def test_ranges_of_a_table_are_all_of_it(tmp_path):
    ids = np.sort(np.random.default_rng(0).integers(0, 2**64, 1_000, np.uint64))
    ids[-1] = 2**64 - 1
    table = {"id": ids, "n": np.arange(1_000)}
    none = {"id": ids[:0], "n": np.arange(0)}
    run = write_run(tmp_path / "run.bin", {"a": table, "b": none})
    assert run.n_bytes("a") == 16_000
    for n_ranges in (1, 2, 7):
        parts = [run.read_range("a", number, n_ranges) for number in range(n_ranges)]
        for column, values in table.items():
            found = np.concatenate([part[column] for part in parts])
            np.testing.assert_array_equal(found, values)
        runs = [
            write_run(tmp_path / f"{n_ranges}-{number}.bin", {"a": part})
            for number, part in enumerate(parts)
        ]
        joined = join_ranges(tmp_path / f"{n_ranges}.bin", "a", runs).read("a")
        np.testing.assert_array_equal(joined["n"], table["n"])
    assert len(run.read_range("b", 0, 3)["n"]) == 0


def test_an_item_of_two_pieces_is_refused(tmp_path):
    frame = pd.DataFrame({"declaration_id": list("abcda"), "item_number": 1})
    frame.to_parquet(tmp_path / "items.parquet", index=False)
    pieces = list_pieces("a test", tmp_path / "items.parquet", most_rows=2, typed=False)
    ids = [item_ids(piece.read()) for piece in pieces.pieces]
    assert [piece.first for piece in pieces.pieces] == [0, 2, 4]
    with pytest.raises(TableError, match=r"2 rows are of 1 items.*'a', in 'items"):
        check_repeated("a test", pieces, ids)
    check_repeated("a test", pieces, ids[:2])


def test_what_a_piece_frees_goes_back_to_the_system(monkeypatch):
    done = []
    monkeypatch.setattr(_executors, "return_free_memory", lambda: done.append("freed"))
    for _ in _executors.Loop().run(lambda _, task: done.append(task), None, range(2)):
        pass
    assert done == [0, "freed", 1, "freed"]
