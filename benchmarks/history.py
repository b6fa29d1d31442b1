"""The same history features by other means, for the comparison in ``speed.py``.

For each key, strictly before the item's day: earlier items, the hit rate drawn towards
that of all items (results known `DELAY` days after lodgement, of earlier days only),
days since the last item, and the z-score of log price per kg drawn towards that of all
items. Each function takes a frame with the columns of `PLAIN`, `day` (days since 1900),
`price` (log value per kg), `part` (the same to 1/4096, which is what all add up),
`seen` (1 if inspected) and `hit`, and returns float32 columns in the order of `KEYS` x
(n_items, hit_rate, days_since_last, z). Polars and DuckDB are in
``history_queries.py``, the reference in ``history_numba.py``.
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
PARTS = 4096.0  # prices are added up to 1/4096: exact in any order
DAY_BITS = 17


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
    price = np.log((items["customs_value"] / items["net_mass_kg"]).to_numpy())
    return pd.DataFrame(
        {
            **{name: items[name] for name in PLAIN if name != "hs6"},
            "hs6": items["tariff_code"].str[:6],
            "day": (day - np.datetime64("1900-01-01")).astype(np.int64),
            "price": price,
            "part": np.rint(price * PARTS) / PARTS,
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
    day, price = frame["day"].to_numpy(), frame["part"].to_numpy()
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
    part, seen, hit = (frame[name].to_numpy() for name in ("part", "seen", "hit"))
    square = part * part
    everyone = overall(frame)
    at_day = {name: everyone[name].to_numpy()[day - day.min()] for name in everyone}
    codes = codes_of(frame)
    row_bits = size.bit_length()

    def total(values: np.ndarray, order: np.ndarray) -> np.ndarray:
        out = np.zeros(size + 1)
        np.cumsum(values[order], out=out[1:])
        return out

    def one(key: tuple[str, ...]) -> list[np.ndarray]:
        packed = (
            (codes[key].astype(np.int64) << DAY_BITS | day) << row_bits
        ) | np.arange(size)
        packed.sort()
        order = packed & ((1 << row_bits) - 1)
        dated = packed >> row_bits
        new = np.r_[True, dated[1:] != dated[:-1]]
        places = np.arange(size)
        first = np.maximum.accumulate(np.where(new, places, 0))
        group = dated >> DAY_BITS
        fresh = np.r_[True, group[1:] != group[:-1]]
        start = np.maximum.accumulate(np.where(fresh, places, 0))
        when = dated & ((1 << DAY_BITS) - 1)
        known = np.maximum(np.searchsorted(dated, dated - DELAY), start)
        n = first - start
        last = np.where(n > 0, when - when[np.maximum(first - 1, 0)], np.nan)
        at = {name: values[order] for name, values in at_day.items()}
        at["price"] = price[order]
        s, q = total(part, order), total(square, order)
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
    """Rows sorted once per key, cumulated, and read at the first row of the day."""
    codes, everyone = codes_of(frame), overall(frame)
    work = frame[["day", "price", "part", "seen", "hit"]].join(everyone, on="day")
    work["square"] = work["part"] ** 2
    columns: list[np.ndarray] = []
    for key in KEYS:
        pair = (codes[key].astype(np.int64) << DAY_BITS) | frame["day"].to_numpy()
        order = np.argsort(pair, kind="stable")
        rows, pairs = work.take(order), pd.Series(pair[order])
        totals = rows[["part", "square", "seen", "hit"]].cumsum()
        before = totals.shift(fill_value=0.0).to_numpy()
        place = pd.Series(np.arange(len(rows)))

        def begin(numbers: pd.Series, place: pd.Series = place) -> np.ndarray:
            new = numbers != numbers.shift()
            return place.where(new).ffill().to_numpy(np.int64)

        first, start = begin(pairs), begin(pairs // (1 << DAY_BITS))
        late = np.maximum(pairs.searchsorted(pairs - DELAY), start)
        n = first - start
        gap = pairs - pairs.shift().take(first).set_axis(pairs.index)
        was, past, known = before[start], before[first], before[late]
        values = finish(
            n,
            gap.where(n > 0).to_numpy(),
            tuple((past - was)[:, :2].T),
            tuple((known - was)[:, 2:].T),
            {name: rows[name].to_numpy() for name in (*everyone, "price")},
        )
        made = pd.DataFrame(dict(enumerate(values)), index=order, dtype=np.float32)
        columns += list(made.sort_index().to_numpy().T)
    return columns
