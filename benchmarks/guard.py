"""What the guard of `RiskEngine.score` finds, and how often it warns without cause.

``python benchmarks/guard.py`` damages batches of 500 items in the ways of `DAMAGES`,
judges them and undamaged ones, and writes the table of docs/guide/monitoring.md. The
kinds and severities were fixed before any bound of the guard was chosen.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

#: Items of a batch.
BATCH = 500
#: A damage counts where it changes at least this share of the items of a batch: a code
#: without leading zeros cannot lose one.
LEAST_CHANGED = 0.10
#: An amount in another currency: CFA francs to the euro, and yuan to the dollar.
CFA, YUAN = 655.957, 7.3
#: Pounds to the kilogram.
POUNDS = 2.2046


def scale(factor, *columns, share=1.0):
    """Return a damage that multiplies columns, in all items or in a share of them."""

    def damage(items, rng):
        hit = rng.random(len(items)) < share
        changed = {c: items[c].where(~hit, items[c] * factor) for c in columns}
        return items.assign(**changed)

    return columns, damage


def stick(column):
    """Return a damage that repeats the first value of a column."""

    def damage(items, rng):
        values = items[column]
        first = values.dropna().iloc[0]
        repeated = pd.Series(first, index=items.index, dtype=values.dtype)
        return items.assign(**{column: repeated})

    return (column,), damage


def empty(column, share=1.0):
    """Return a damage that removes values of a column."""

    def damage(items, rng):
        return items.assign(
            **{column: items[column].mask(rng.random(len(items)) < share)}
        )

    return (column,), damage


def zero(column):
    """Return a damage that writes 0 for every value."""
    return (column,), lambda items, rng: items.assign(**{column: 0.0})


def swap(one, other, share=1.0):
    """Return a damage that exchanges two columns."""

    def damage(items, rng):
        hit = rng.random(len(items)) < share
        pair = {
            one: items[one].where(~hit, items[other]),
            other: items[other].where(~hit, items[one]),
        }
        return items.assign(**pair)

    return (one, other), damage


def recode(column, change):
    """Return a damage that rewrites every code of a column."""
    return (column,), lambda items, rng: items.assign(
        **{column: items[column].map(change, "ignore").astype("str")}
    )


def move(**offset):
    """Return a damage that moves the dates."""
    return ("lodged_at",), lambda items, rng: items.assign(
        lodged_at=items["lodged_at"] + pd.DateOffset(**offset)
    )


def set_date(text):
    """Return a damage that writes one date for all items."""
    return ("lodged_at",), lambda items, rng: items.assign(
        lodged_at=pd.Timestamp(text).as_unit("us")
    )


def exchange_day_and_month(items, rng):
    """Return items whose dates were read as month, day, year where that is a date."""
    lodged = items["lodged_at"]
    read = pd.to_datetime(
        {"year": lodged.dt.year, "month": lodged.dt.day, "day": lodged.dt.month},
        errors="coerce",
    )
    time = lodged - lodged.dt.normalize()
    return items.assign(lodged_at=(read + time).fillna(lodged).astype("datetime64[us]"))


MONEY, MASS = ("customs_value", "duties_taxes"), ("net_mass_kg", "gross_mass_kg")

#: Kind of damage to its severities: name, the columns of which one must be named, and
#: the damage.
DAMAGES = {
    "unit of amounts": {
        "value and duties × 1000": scale(1e3, *MONEY),
        "value and duties ÷ 1000": scale(1e-3, *MONEY),
        "value and duties × 100": scale(1e2, *MONEY),
        "value and duties ÷ 100": scale(1e-2, *MONEY),
        "value and duties × 655.957": scale(CFA, *MONEY),
        "value and duties ÷ 655.957": scale(1 / CFA, *MONEY),
        "value and duties × 7.3": scale(YUAN, *MONEY),
        "value alone × 1000": scale(1e3, "customs_value"),
        "value alone ÷ 1000": scale(1e-3, "customs_value"),
        "value alone × 100": scale(1e2, "customs_value"),
        "value alone × 655.957": scale(CFA, "customs_value"),
        "value of half the items × 1000": scale(1e3, *MONEY, share=0.5),
    },
    "unit of mass": {
        "both masses × 1000": scale(1e3, *MASS),
        "both masses ÷ 1000": scale(1e-3, *MASS),
        "both masses × 2.2046": scale(POUNDS, *MASS),
        "both masses ÷ 2.2046": scale(1 / POUNDS, *MASS),
        "net mass alone × 1000": scale(1e3, "net_mass_kg"),
        "net mass alone × 2.2046": scale(POUNDS, "net_mass_kg"),
        "net mass alone ÷ 2.2046": scale(1 / POUNDS, "net_mass_kg"),
        "masses of half the items × 1000": scale(1e3, *MASS, share=0.5),
    },
    "unit of quantity": {
        "quantity × 1000": scale(1e3, "quantity"),
        "quantity ÷ 1000": scale(1e-3, "quantity"),
        "quantity × 12": scale(12.0, "quantity"),
    },
    "percent or fraction": {
        "duty rate × 100": scale(1e2, "duty_rate"),
        "duty rate ÷ 100": scale(1e-2, "duty_rate"),
    },
    "stuck": {
        f"{name} stuck": stick(name)
        for name in (
            "office",
            "procedure",
            "importer_id",
            "declarant_id",
            "consignor_id",
            "tariff_code",
            "origin",
            "departure",
            "transport_mode",
            "customs_value",
            "net_mass_kg",
            "quantity",
            "duty_rate",
            "preference",
        )
    },
    "missing": {
        **{
            f"{name} missing": empty(name)
            for name in (
                "office",
                "importer_id",
                "declarant_id",
                "consignor_id",
                "origin",
                "transport_mode",
                "customs_value",
                "net_mass_kg",
                "quantity",
                "duty_rate",
            )
        },
        **{
            f"{name} missing in half": empty(name, 0.5)
            for name in ("importer_id", "consignor_id", "origin", "customs_value")
        },
        "customs_value 0": zero("customs_value"),
        "net_mass_kg 0": zero("net_mass_kg"),
    },
    "swapped": {
        "net and gross mass": swap("net_mass_kg", "gross_mass_kg"),
        "net and gross mass in half": swap("net_mass_kg", "gross_mass_kg", 0.5),
        "value and quantity": swap("customs_value", "quantity"),
        "value and net mass": swap("customs_value", "net_mass_kg"),
        "value and duties": swap("customs_value", "duties_taxes"),
        "origin and departure": swap("origin", "departure"),
        "importer and consignor": swap("importer_id", "consignor_id"),
        "importer and declarant": swap("importer_id", "declarant_id"),
        "office and procedure": swap("office", "procedure"),
    },
    "lost zeros": {
        f"{name} lost its zeros": recode(name, lambda code: code.lstrip("0") or "0")
        for name in ("tariff_code", "office", "transport_mode")
    },
    "other codes": {
        "tariff_code cut to 6 digits": recode("tariff_code", lambda code: code[:6]),
        "origin in three letters": recode("origin", lambda code: code + "X"),
        "office with a prefix": recode("office", lambda code: "FR" + code),
        "importer_id in lower case": recode("importer_id", str.lower),
        "importer_id without its letter": recode("importer_id", lambda text: text[1:]),
    },
    "dates": {
        "5 years earlier": move(years=-5),
        "all 1970-01-01": set_date("1970-01-01"),
        "18 months later": move(months=18),
        "10 years later": move(years=10),
        "day and month exchanged": (("lodged_at",), exchange_day_and_month),
    },
}


def write_codes(declarations):
    """Return the declarations of a world with zeros to lose: office 0010, mode 01."""
    return declarations.assign(
        office="00" + declarations["office"],
        transport_mode="0" + declarations["transport_mode"],
    )


def share_changed(before, after, columns):
    """Return the share of items of which a damage changed a column."""
    different = np.zeros(len(before), bool)
    for name in columns:
        old, new = before[name].astype(object), after[name].astype(object)
        different |= ((old != new) & ~(old.isna() & new.isna())).to_numpy()
    return float(different.mean())
