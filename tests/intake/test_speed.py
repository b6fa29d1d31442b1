"""Reading costs a small multiple of what a reader costs that checks nothing."""

from __future__ import annotations

import time

import numpy as np
import pyarrow.csv
import pytest

from smartrisk.intake import read_table

#: 1.7 for a million rows, 2.2 for this table; four times the work would be noticed.
MOST = 4.0


@pytest.mark.slow
def test_reading_costs_a_small_multiple_of_a_reader_that_checks_nothing(tmp_path):
    rng = np.random.default_rng(0)
    n = 200_000
    numbers = rng.integers(0, 10**6, (n, 8)).astype(str)
    path = tmp_path / "items.csv"
    lines = [f"D{k};CI01;" + ";".join(row) for k, row in enumerate(numbers)]
    path.write_text("\n".join(["id;office;" + ";".join("abcdefgh"), *lines]) + "\n")
    options = pyarrow.csv.ParseOptions(delimiter=";")

    def cost(read):
        start = time.process_time()
        assert read().shape[0] == n
        return time.process_time() - start

    def read_plainly():
        return pyarrow.csv.read_csv(path, parse_options=options)

    read_table(path)
    ratios = [
        cost(lambda: read_table(path)) / max(cost(read_plainly), 1e-3) for _ in range(3)
    ]
    assert min(ratios) < MOST
