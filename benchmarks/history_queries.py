"""The history features of ``history.py`` by Polars and DuckDB, as experts write them.

Texts become integers once. Polars sorts the items of each key by one packed number and
subtracts running totals; the delay of results is a binary search. DuckDB adds up daily
sums, and finds the results known before a day by an as-of join (range windows over the
items took 1.3 times as long, those over daily sums as long). Items of one day do not
count for each other: totals are read at the first item of the day.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from history import (
    DAY_BITS,
    DELAY,
    KEYS,
    PLAIN,
    PRICE_WEIGHT,
    RATE_WEIGHT,
    codes_of,
    overall,
)

FEATURES = ("n_items", "hit_rate", "days_since_last", "z")


def by_polars(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """One sort per key by a packed number, running totals; all keys in one query.

    The number of threads is that of POLARS_MAX_THREADS.
    """
    import polars as pl

    everyone = pl.from_pandas(overall(frame).reset_index())
    codes = pl.col(PLAIN).cast(pl.Categorical).to_physical().cast(pl.Int64)
    table = (
        pl.from_pandas(frame)
        .join(everyone, on="day", how="left", maintain_order="left")
        .with_columns(codes, square=pl.col("part") ** 2)
        .with_row_index("row")
    )
    width = {name: int(table[name].max()) + 1 for name in PLAIN}
    queries = []
    for key in KEYS:
        code = pl.col(key[0])
        for name in key[1:]:
            code = code * width[name] + pl.col(name)
        pair = code * (1 << DAY_BITS) + pl.col("day")
        queries.append(_polars_key(pl, table.lazy().with_columns(pair=pair)))
    made = pl.collect_all(queries)
    return [part[name].to_numpy() for part in made for name in FEATURES]


def _polars_key(pl: Any, items: Any) -> Any:
    """Return the query of one key, whose values and days are packed in `pair`."""
    index, pair, value = pl.int_range(pl.len(), dtype=pl.UInt32), "pair", "value"
    sums = ("part", "square", "seen", "hit")
    used = ("row", pair, "price", "rate", "mean", "variance", *sums)

    def begin(name: str) -> Any:
        """Return where the run of equal numbers around each item begins."""
        new = (pl.col(name) != pl.col(name).shift()).fill_null(value=True)
        return pl.when(new).then(index).forward_fill()

    def since(name: str, until: str) -> Any:
        """Return a sum from the first item of the value until a place."""
        return pl.col(name).gather(pl.col(until)) - pl.col(name).gather(pl.col("start"))

    late = pl.col(pair).search_sorted(pl.col(pair) - DELAY).cast(pl.UInt32)
    gap = pl.col(pair) - pl.col(pair).shift().gather(pl.col("first"))
    totals = (
        items.select(used)
        .sort(pair)
        .with_columns(pl.col(sums).cum_sum() - pl.col(sums))
        .with_columns(value=pl.col(pair) // (1 << DAY_BITS))
        .with_columns(first=begin(pair), start=begin(value))
        .with_columns(known=pl.max_horizontal(late, "start"))
        .select(
            *("row", "price", "rate", "mean", "variance"),
            n=(pl.col("first") - pl.col("start")).cast(pl.Int64),
            last=pl.when(pl.col("first") > pl.col("start")).then(gap),
            s=since("part", "first"),
            q=since("square", "first"),
            i=since("seen", "known"),
            h=since("hit", "known"),
        )
    )
    n, s, w = pl.col("n"), pl.col("s"), PRICE_WEIGHT
    mean = (s + w * pl.col("mean")) / (n + w)
    within = (pl.col("q") - s * s / pl.max_horizontal(n, 1)).clip(lower_bound=0.0)
    variance = ((within + w * pl.col("variance")) / (n + w)).clip(lower_bound=1e-4)
    rate = (pl.col("h") + RATE_WEIGHT * pl.col("rate")) / (pl.col("i") + RATE_WEIGHT)
    z = (pl.col("price") - mean) / variance.sqrt()
    found = zip(FEATURES, (n, rate, pl.col("last"), z), strict=True)
    made = {name: column.cast(pl.Float32) for name, column in found}
    return totals.select("row", **made).sort("row")


def _duckdb_items(frame: pd.DataFrame, jobs: int) -> Any:
    """Return a connection whose table `items` has the codes k0, k1, ... of the keys."""
    import duckdb

    connection = duckdb.connect(config={"threads": jobs})
    connection.execute("SET enable_progress_bar = false")
    connection.execute("SET preserve_insertion_order = false")
    codes = codes_of(frame)
    items = {name: frame[name].to_numpy() for name in ("price", "part", "seen", "hit")}
    items |= {f"k{number}": codes[key] for number, key in enumerate(KEYS)}
    items |= {"row": np.arange(len(frame)), "day": frame["day"].to_numpy(np.int32)}
    connection.register("item_frame", pd.DataFrame(items))
    connection.register("day_frame", overall(frame).reset_index())
    connection.execute(
        "CREATE TABLE items AS SELECT i.*, rate, mean, variance "
        "FROM item_frame i JOIN day_frame d ON i.day = d.day"
    )
    return connection


#: The four features from n, s, q, i, h and last of an item.
_FINISH = f"""
    SELECT row, n::FLOAT AS n_items, last::FLOAT AS days_since_last,
      ((h + {RATE_WEIGHT} * rate) / (i + {RATE_WEIGHT}))::FLOAT AS hit_rate,
      ((price - (s + {PRICE_WEIGHT} * mean) / (n + {PRICE_WEIGHT})) / sqrt(greatest(
        (greatest(q - s * s / greatest(n, 1), 0) + {PRICE_WEIGHT} * variance)
        / (n + {PRICE_WEIGHT}), 1e-4)))::FLOAT AS z
    FROM past
"""


def _duckdb_columns(connection: Any, query: str) -> list[np.ndarray]:
    """Run a query and return its features in the order of the items."""
    found = connection.execute(query + _FINISH).fetchnumpy()
    columns = np.empty((len(FEATURES), len(found["row"])), np.float32)
    for column, name in zip(columns, FEATURES, strict=True):
        column[found["row"]] = np.ma.filled(found[name], np.nan)
    return list(columns)


def by_duckdb(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """Daily sums by code, running totals, an as-of join for the delay of results."""
    connection = _duckdb_items(frame, jobs)
    columns: list[np.ndarray] = []
    for number in range(len(KEYS)):
        query = f"""
            WITH daily AS (
              SELECT k{number} AS code, day, count(*)::DOUBLE AS n, sum(part) AS s,
                sum(part * part) AS q, sum(seen)::DOUBLE AS i, sum(hit) AS h
              FROM items GROUP BY k{number}, day),
            running AS (
              SELECT code, day, day - lag(day) OVER days AS last,
                sum(n) OVER days - n AS n, sum(s) OVER days - s AS s,
                sum(q) OVER days - q AS q, sum(i) OVER days AS i, sum(h) OVER days AS h
              FROM daily
              WINDOW days AS (PARTITION BY code ORDER BY day ROWS UNBOUNDED PRECEDING)),
            known AS (
              SELECT a.* EXCLUDE (i, h), coalesce(b.i, 0) AS i, coalesce(b.h, 0) AS h
              FROM running a ASOF LEFT JOIN running b
              ON a.code = b.code AND a.day - {DELAY} > b.day),
            past AS (
              SELECT row, price, rate, mean, variance, n, last, s, q, known.i, known.h
              FROM items JOIN known
              ON items.k{number} = known.code AND items.day = known.day)
        """
        columns += _duckdb_columns(connection, query)
    return columns
