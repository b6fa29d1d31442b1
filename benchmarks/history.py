"""The same history features by other means, for the comparison in ``speed.py``.

For each key, strictly before the item's day: earlier items, the hit rate drawn towards
that of all items (results known `DELAY` days after lodgement, of earlier days only),
days since the last item, and the z-score of log price per kg drawn towards that of all
items. Each function takes a frame with the columns of `PLAIN`, `day` (days since 1900),
`price` (log value per kg), `seen` (1 if inspected) and `hit`, and returns float32
columns in the order of `KEYS` x (n_items, hit_rate, days_since_last, z).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pandas as pd

KEYS = (
    ("importer_id",),
    ("declarant_id",),
    ("consignor_id",),
    ("hs6",),
    ("origin",),
    ("importer_id", "hs6"),
    ("hs6", "origin"),
)
PLAIN = ("importer_id", "declarant_id", "consignor_id", "hs6", "origin")
DELAY = 30
RATE_WEIGHT = 10.0  # inspections that the rate of all items is worth
PRICE_WEIGHT = 3.0  # peers that the prices of all items are worth


def table(n_items: int, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """Return declarations with traders, goods and origins of very unequal size.

    One in ten is inspected; hits are nan elsewhere.
    """
    rng = np.random.default_rng(seed)

    def names(prefix: str, size: int, exponent: float) -> np.ndarray:
        share = 1.0 / np.arange(1, size + 1) ** exponent
        chosen = rng.choice(size, n_items, p=share / share.sum())
        return np.array([f"{prefix}{k:06d}" for k in range(size)], object)[chosen]

    seconds = np.sort(rng.integers(0, 730 * 86_400, n_items))
    items = pd.DataFrame(
        {
            "declaration_id": np.arange(n_items).astype(str),
            "item_number": 1,
            "lodged_at": pd.Timestamp("2023-01-01")
            + pd.to_timedelta(seconds, unit="s"),
            "importer_id": names("I", 60_000, 0.9),
            "declarant_id": names("D", 3_000, 0.8),
            "consignor_id": names("C", 80_000, 0.9),
            "tariff_code": names("", 4_000, 0.7),
            "origin": names("O", 120, 1.2),
            "customs_value": rng.lognormal(8, 2, n_items),
            "net_mass_kg": rng.lognormal(5, 1.5, n_items),
        }
    )
    items["lodged_at"] = items["lodged_at"].astype("datetime64[us]")
    inspected = rng.random(n_items) < 0.1
    return items, np.where(inspected, (rng.random(n_items) < 0.2) * 1.0, np.nan)


def plain(items: pd.DataFrame, hits: np.ndarray) -> pd.DataFrame:
    """Return the columns that the peers work on."""
    seen = np.isfinite(hits)
    day = items["lodged_at"].to_numpy().astype("datetime64[D]")
    return pd.DataFrame(
        {
            **{name: items[name] for name in PLAIN if name != "hs6"},
            "hs6": items["tariff_code"].str[:6],
            "day": (day - np.datetime64("1900-01-01")).astype(np.int64),
            "price": np.log(items["customs_value"] / items["net_mass_kg"]),
            "seen": seen.astype(np.int64),
            "hit": np.where(seen, hits, 0.0),
        }
    )


def by_smartrisk(items: pd.DataFrame, hits: np.ndarray, jobs: int) -> list[np.ndarray]:
    """Return the features as this library makes them."""
    from smartrisk.features import DeclarationFeatures, Key

    found = ("n_items", "hit_rate", "days_since_last")
    features = DeclarationFeatures(
        tuple(Key(key, statistics=found) for key in KEYS),
        price_keys=tuple(Key(key, statistics=("price_per_kg_z",)) for key in KEYS),
        parts=("history", "prices"),
        label_delay=DELAY,
        n_jobs=jobs,
    )
    matrix = np.asarray(features.fit_transform(items, hits))
    places = [
        (3 * k, 3 * k + 1, 3 * k + 2, 3 * len(KEYS) + k) for k in range(len(KEYS))
    ]
    return [matrix[:, place] for place in np.ravel(places)]


def overall(frame: pd.DataFrame) -> pd.DataFrame:
    """Return what is known about all items together, per day."""
    day, price = frame["day"].to_numpy(), frame["price"].to_numpy()
    low, high = int(day.min()), int(day.max())
    length = high - low + 2

    def before(weights: Any, late: int = 0) -> np.ndarray:
        daily = np.bincount(day - low + late, weights, length + late)
        return np.r_[0.0, np.cumsum(daily)][: length - 1]

    n, s, q = before(None), before(price), before(price * price)
    seen = before(frame["seen"].to_numpy(), DELAY)
    hit = before(frame["hit"].to_numpy(), DELAY)
    count = np.maximum(n, 1)
    return pd.DataFrame(
        {
            "rate": (hit + 1.0) / (seen + RATE_WEIGHT),
            "mean": np.where(n > 0, s / count, np.nan),
            "variance": (np.maximum(q - s * s / count, 0) + 3.0) / (n + 3.0),
        },
        index=pd.RangeIndex(low, high + 1, name="day"),
    )


def finish(
    n: Any, last: Any, sums: tuple[Any, Any], known: tuple[Any, Any], at: Any
) -> list[Any]:
    """Return the four features of a key from its sums."""
    (s, q), (seen, hit), w = sums, known, PRICE_WEIGHT
    rate = (hit + RATE_WEIGHT * at["rate"]) / (seen + RATE_WEIGHT)
    mean = (s + w * at["mean"]) / (n + w)
    within = np.maximum(q - s * s / np.maximum(n, 1), 0.0)
    variance = np.maximum((within + w * at["variance"]) / (n + w), 1e-4)
    return [n, rate, last, (at["price"] - mean) / np.sqrt(variance)]


def codes_of(frame: pd.DataFrame) -> dict[tuple[str, ...], np.ndarray]:
    """Return integer codes of every key."""
    base = {name: pd.factorize(frame[name]) for name in PLAIN}
    codes = {(name,): base[name][0] for name in PLAIN}
    for key in KEYS:
        if len(key) == 2:
            (left, _), (right, names) = base[key[0]], base[key[1]]
            codes[key] = pd.factorize(left * len(names) + right)[0]
    return codes


def by_numpy(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """One packed sort per key, prefix sums, `searchsorted` for the delay."""
    size = len(frame)
    day, price = frame["day"].to_numpy(), frame["price"].to_numpy()
    seen, hit = frame["seen"].to_numpy(), frame["hit"].to_numpy()
    everyone = overall(frame)
    at_day = {name: everyone[name].to_numpy()[day - day.min()] for name in everyone}
    codes = codes_of(frame)
    row_bits = size.bit_length()

    def total(values: np.ndarray, order: np.ndarray) -> np.ndarray:
        out = np.zeros(size + 1)
        np.cumsum(values[order], out=out[1:])
        return out

    def one(key: tuple[str, ...]) -> list[np.ndarray]:
        packed = ((codes[key].astype(np.int64) << 17 | day) << row_bits) | np.arange(
            size
        )
        packed.sort()
        order = packed & ((1 << row_bits) - 1)
        dated = packed >> row_bits
        new = np.r_[True, dated[1:] != dated[:-1]]
        places = np.arange(size)
        first = np.maximum.accumulate(np.where(new, places, 0))
        group = dated >> 17
        fresh = np.r_[True, group[1:] != group[:-1]]
        start = np.maximum.accumulate(np.where(fresh, places, 0))
        when = dated & ((1 << 17) - 1)
        known = np.maximum(np.searchsorted(dated, dated - DELAY), start)
        n = first - start
        last = np.where(n > 0, when - when[np.maximum(first - 1, 0)], np.nan)
        at = {name: values[order] for name, values in at_day.items()}
        at["price"] = price[order]
        s, q = total(price, order), total(price * price, order)
        i, h = total(seen, order), total(hit, order)
        values = finish(
            n,
            last,
            (s[first] - s[start], q[first] - q[start]),
            (i[known] - i[start], h[known] - h[start]),
            at,
        )
        out = np.empty((4, size), np.float32)
        for column, value in zip(out, values, strict=True):
            column[order] = value
        return list(out)

    with ThreadPoolExecutor(jobs) as pool:
        return [column for part in pool.map(one, KEYS) for column in part]


def by_pandas(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """Daily sums by group, cumulated and shifted; `merge_asof` for the delay."""
    codes = codes_of(frame)
    work = frame[["day", "price", "seen", "hit"]].assign(
        square=frame["price"] ** 2, n=1
    )
    work = work.join(overall(frame), on="day")
    columns: list[np.ndarray] = []
    for key in KEYS:
        work["key"] = codes[key]
        names = ["n", "price", "square", "seen", "hit"]
        daily = work.groupby(["key", "day"], sort=True)[names].sum()
        running = daily.groupby(level="key").cumsum()
        before = running - daily
        level = daily.index.get_level_values("day").to_series(index=daily.index)
        before["last"] = level - level.groupby(level="key").shift()
        known = running[["seen", "hit"]].reset_index()
        known["day"] += DELAY
        asked = before.drop(columns=["seen", "hit"]).reset_index().sort_values("day")
        joined = pd.merge_asof(
            asked,
            known.sort_values("day"),
            on="day",
            by="key",
            allow_exact_matches=False,
        ).fillna({"seen": 0, "hit": 0})
        found = work[["key", "day"]].merge(joined, on=["key", "day"], how="left")
        at = {name: work[name].to_numpy() for name in ("rate", "mean", "variance")}
        at["price"] = frame["price"].to_numpy()
        columns += finish(
            found["n"].to_numpy(),
            found["last"].to_numpy(),
            (found["price"].to_numpy(), found["square"].to_numpy()),
            (found["seen"].to_numpy(), found["hit"].to_numpy()),
            at,
        )
    return [np.asarray(column, np.float32) for column in columns]


def by_polars(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """As-of joins of the items with running daily sums."""
    import polars as pl

    everyone = pl.from_pandas(overall(frame).reset_index())
    table = pl.from_pandas(frame).with_row_index("row")

    names = ["n", "s", "q", "seen", "hit"]
    items = table.join(everyone, on="day", how="left").sort("day")
    columns: list[np.ndarray] = []
    for key in KEYS:
        daily = (
            items.group_by([*key, "day"])
            .agg(
                n=pl.len().cast(pl.Int64),
                s=pl.col("price").sum(),
                q=(pl.col("price") ** 2).sum(),
                seen=pl.col("seen").sum(),
                hit=pl.col("hit").sum(),
            )
            .sort("day")
            .with_columns(pl.col(names).cum_sum().over(key))
        )
        past = daily.select(*key, "n", "s", "q", "day", last=pl.col("day"))
        known = daily.select(*key, pl.col("day") + DELAY, known="seen", hits="hit")
        options = {"on": "day", "by": list(key), "allow_exact_matches": False}
        found = (
            items.join_asof(past, check_sortedness=False, **options)
            .join_asof(known, check_sortedness=False, **options)
            .with_columns(
                pl.col("n", "s", "q", "known", "hits").fill_null(0),
            )
            .sort("row")
        )
        at = {k: found[k].to_numpy() for k in ("rate", "mean", "variance", "price")}
        columns += finish(
            found["n"].to_numpy(),
            (found["day"] - found["last"]).to_numpy(),
            (found["s"].to_numpy(), found["q"].to_numpy()),
            (found["known"].to_numpy(), found["hits"].to_numpy()),
            at,
        )
    return [np.asarray(column, np.float32) for column in columns]


def by_duckdb(frame: pd.DataFrame, jobs: int) -> list[np.ndarray]:
    """Range windows over each key."""
    import duckdb

    connection = duckdb.connect(config={"threads": jobs})
    connection.execute("SET enable_progress_bar = false")
    everyone = overall(frame)
    connection.register("items_frame", frame.assign(row=np.arange(len(frame))))
    connection.execute("CREATE TABLE items AS SELECT * FROM items_frame")

    columns: list[np.ndarray] = []
    for key in KEYS:
        window = f"PARTITION BY {', '.join(key)} ORDER BY day RANGE BETWEEN UNBOUNDED"
        found = connection.execute(
            f"""
            SELECT count(*) OVER past AS n, day - max(day) OVER past AS last,
              coalesce(sum(price) OVER past, 0) AS s,
              coalesce(sum(price * price) OVER past, 0) AS q,
              coalesce(sum(seen) OVER known, 0)::DOUBLE AS seen,
              coalesce(sum(hit) OVER known, 0) AS hit, day, price
            FROM items WINDOW past AS ({window} PRECEDING AND 1 PRECEDING),
              known AS ({window} PRECEDING AND {DELAY + 1} PRECEDING)
            ORDER BY row
            """
        ).fetchnumpy()
        days = np.asarray(found["day"]) - int(everyone.index[0])
        at = {name: everyone[name].to_numpy()[days] for name in everyone}
        at["price"] = found["price"]
        last = np.ma.filled(np.ma.asarray(found["last"]).astype(float), np.nan)
        columns += finish(
            found["n"],
            last,
            (found["s"], found["q"]),
            (found["seen"], found["hit"]),
            at,
        )
    return [np.asarray(column, np.float32) for column in columns]
