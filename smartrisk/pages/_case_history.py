"""The history on a case sheet: earlier items of the same parties and goods."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.displays import Texts
from smartrisk.items import join_by_key, moments_known
from smartrisk.pages._page import Table

#: Parties whose earlier items are counted.
_PARTIES = ("importer_id", "declarant_id", "consignor_id")
#: Latest items of the importer: more push a printed sheet to a third page.
_MOST_RECENT = 8
#: Points of the plot: more would lie closer than their own width.
_MOST_POINTS = 150
#: Fewer earlier unit values show no level to compare with.
_FEWEST_POINTS = 5
#: Corners of the plot in the units of its view box, see case.html.
_LEFT, _RIGHT, _BOTTOM, _TOP = 70.0, 620.0, 185.0, 15.0
#: Steps within a power of ten, from coarse to fine, until three of them are in range.
_STEPS: tuple[tuple[float, ...], ...] = (
    (1.0,),
    (1.0, 2.0, 5.0),
    (1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 8.0),
)


@dataclass(frozen=True, kw_only=True)
class UnitValuePlot:
    """Positions of unit values over time in the units of the plot, as texts."""

    points: Sequence[tuple[str, str]]
    here: tuple[str, str]
    ticks: Sequence[tuple[float, str]]
    first: str
    last: str
    caption: str


def select_earlier(
    item: pd.DataFrame,
    past: pd.DataFrame,
    outcomes: pd.DataFrame | None,
    label_delay: int,
) -> pd.DataFrame:
    """Return items lodged before the day of an item, with the results known by then.

    ``illicit`` is missing where no result was known before the day.
    """
    day = item["lodged_at"].iloc[0].normalize()
    earlier: pd.DataFrame = past[past["lodged_at"] < day]
    earlier = earlier.sort_values("lodged_at", kind="stable")
    if outcomes is None:
        return earlier.assign(illicit=np.nan)
    fields = [name for name in ("illicit", "known_at") if name in outcomes]
    joined = join_by_key(
        earlier, outcomes, fields, owner="CaseSheet", name="'outcomes'"
    ).reset_index(drop=True)
    dates = joined["known_at"].to_numpy("M8[ns]") if "known_at" in joined else None
    known = moments_known(joined["lodged_at"].to_numpy("M8[ns]"), dates, label_delay)
    illicit = joined["illicit"].astype("float64")
    joined["illicit"] = illicit.where(known < day.to_datetime64())
    return joined


def heading(items: pd.DataFrame) -> pd.Series:
    """Return the Harmonized System headings of items."""
    return items["tariff_code"].astype(str).str[:4]


def subheading(items: pd.DataFrame) -> pd.Series:
    """Return the Harmonized System subheadings of items."""
    return items["tariff_code"].astype(str).str[:6]


def make_history_table(item: pd.Series, past: pd.DataFrame, texts: Texts) -> Table:
    """Return what was known of the parties and of the goods before the item."""
    _ = texts.gettext
    unit_values = _unit_values(past)
    rows = [
        _history_row(texts.words.capitalise(name), past[mask], None, texts)
        for name, mask in _party_masks(item, past, texts).items()
    ]
    rows += [
        _history_row(texts.words.capitalise(name), past[mask], unit_values[mask], texts)
        for name, mask in _goods_masks(item, past, texts).items()
    ]
    return Table(
        caption=_("Earlier items, and results known before the day of lodgement"),
        heads=(
            texts.pgettext("head: parties or goods", "Of"),
            _("Items"),
            _("Median value per kg"),
            texts.pgettext("head: day of the latest item", "Last"),
            _("Results known"),
            texts.pgettext("head: number of items", "Irregular"),
            _("Hit rate"),
        ),
        rows=rows,
        numeric=frozenset(range(1, 7)),
    )


def _party_masks(
    item: pd.Series, past: pd.DataFrame, texts: Texts
) -> dict[str, NDArray[np.bool_]]:
    """Return which earlier items are of each party of the item, by its name."""
    return {
        texts.words.field(name): _equals(past[name], item[name])
        for name in _PARTIES
        if name in past and not pd.isna(item.get(name))
    }


def _goods_masks(
    item: pd.Series, past: pd.DataFrame, texts: Texts
) -> dict[str, NDArray[np.bool_]]:
    """Return which earlier items are of the goods of the item, by name."""
    _ = texts.gettext
    goods = (subheading(past) == str(item["tariff_code"])[:6]).to_numpy(bool)
    masks = {}
    if "importer_id" in past and not pd.isna(item.get("importer_id")):
        of_importer = _equals(past["importer_id"], item["importer_id"])
        masks[_("importer with these goods")] = goods & of_importer
    masks[_("these goods, all importers")] = goods
    if "origin" in past and not pd.isna(item.get("origin")):
        of_origin = _equals(past["origin"], item["origin"])
        masks[_("these goods from the same origin")] = goods & of_origin
    return masks


def _equals(column: pd.Series, value: object) -> NDArray[np.bool_]:
    """Return where a column has a value; missing values are not equal."""
    return (column == value).fillna(False).to_numpy(bool)


def _history_row(
    name: str, part: pd.DataFrame, unit_values: pd.Series | None, texts: Texts
) -> tuple[str, ...]:
    """Return a row of the history table for some of the earlier items."""
    results = part["illicit"].dropna()
    hits = int((results > 0).sum())
    last = part["lodged_at"].max().normalize() if len(part) else None
    return (
        name,
        texts.number(len(part)),
        texts.unit_value(None if unit_values is None else unit_values.median()),
        texts.moment(last),
        texts.number(len(results)),
        texts.number(hits),
        texts.rate(hits / len(results) if len(results) else None),
    )


def make_recent_table(
    item: pd.Series, past: pd.DataFrame, texts: Texts
) -> Table | None:
    """Return the latest items of the importer, these goods first; None without any."""
    _ = texts.gettext
    if "importer_id" not in past or pd.isna(item.get("importer_id")):
        return None
    recent = past[_equals(past["importer_id"], item["importer_id"])]
    if recent.empty:
        return None
    others = (subheading(recent) != str(item["tariff_code"])[:6]).to_numpy(bool)
    newest = -recent["lodged_at"].to_numpy().astype(np.int64)
    recent = recent.iloc[np.lexsort((newest, others))[:_MOST_RECENT]]
    results: dict[int | None, str] = {
        None: _("not inspected, or not known yet"),
        0: texts.pgettext("result", "as declared"),
        1: texts.pgettext("result", "irregular"),
    }
    rows = [
        (
            texts.moment(line["lodged_at"]),
            texts.value("tariff_code", line["tariff_code"]),
            texts.value("origin", line.get("origin")),
            texts.number(line.get("customs_value")),
            texts.number(line.get("net_mass_kg")),
            results[None if pd.isna(line["illicit"]) else int(line["illicit"])],
        )
        for line in recent.to_dict("records")
    ]
    fields = ("tariff_code", "origin", "customs_value", "net_mass_kg")
    return Table(
        caption=_("Latest items of this importer, these goods first"),
        heads=(
            texts.pgettext("head: day", "Lodged"),
            *(texts.words.capitalise(texts.words.field(name)) for name in fields),
            texts.pgettext("head", "Result"),
        ),
        rows=rows,
        numeric=frozenset((3, 4)),
    )


def make_unit_value_plot(
    item: pd.Series, past: pd.DataFrame, texts: Texts
) -> UnitValuePlot | None:
    """Return the unit values of these goods over time, with that of the item.

    None where the item has no unit value, or the goods have too few.
    """
    code = str(item["tariff_code"])[:6]
    part = past.assign(unit_value=_unit_values(past))
    part = part[(subheading(past) == code).to_numpy() & part["unit_value"].notna()]
    own = _unit_value(item)
    if len(part) < _FEWEST_POINTS or own is None:
        return None
    part = part.tail(_MOST_POINTS)
    days = [*part["lodged_at"], item["lodged_at"]]
    when = pd.DatetimeIndex(days).as_unit("ns").to_numpy().astype(float)
    level = np.log10(np.r_[part["unit_value"].to_numpy(float), own])
    low, high = level.min() - 0.05, level.max() + 0.05
    across = (when - when.min()) / max(when.max() - when.min(), 1.0)
    up = (level - low) / (high - low)
    x = _LEFT + (_RIGHT - _LEFT) * across
    y = _BOTTOM - (_BOTTOM - _TOP) * up
    points = [(f"{a:.1f}", f"{b:.1f}") for a, b in zip(x, y, strict=True)]
    caption = texts.gettext(
        "Declared value per kg of the last %(n)s items of subheading %(code)s, "
        "logarithmic; the ring is this item."
    )
    return UnitValuePlot(
        points=points[:-1],
        here=points[-1],
        ticks=_make_ticks(float(low), float(high), texts),
        first=texts.moment(days[0].normalize()),
        last=texts.moment(days[-1].normalize()),
        caption=caption
        % {"n": texts.number(len(part)), "code": texts.words.code(code)},
    )


def _make_ticks(low: float, high: float, texts: Texts) -> list[tuple[float, str]]:
    """Return position and label of round values between two powers of ten."""
    height = _BOTTOM - _TOP
    return [
        (
            round(_BOTTOM - height * (math.log10(level) - low) / (high - low), 1),
            texts.words.ratio(level),
        )
        for level in _round_levels(10.0**low, 10.0**high)
    ]


def _round_levels(low: float, high: float) -> list[float]:
    """Return round values between two, as a logarithmic axis has them."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    levels: list[float] = []
    for steps in _STEPS:
        levels = [step * 10.0**k for k in decades for step in steps]
        levels = [level for level in levels if low <= level <= high]
        if len(levels) >= 3:
            break
    return levels or [low, high]


def _unit_value(item: pd.Series) -> float | None:
    """Return the declared value per kg of an item, None where it has none."""
    value, mass = item.get("customs_value"), item.get("net_mass_kg")
    if pd.isna(value) or pd.isna(mass) or not (value > 0 and mass > 0):
        return None
    return float(value / mass)


def _unit_values(items: pd.DataFrame) -> pd.Series:
    """Return declared values per kg; missing where a part is missing or zero."""
    if not {"customs_value", "net_mass_kg"} <= set(items.columns):
        return pd.Series(np.nan, index=items.index)
    parts = items[["customs_value", "net_mass_kg"]].astype("float64")
    parts = parts.where(parts > 0)
    unit_values: pd.Series = parts["customs_value"] / parts["net_mass_kg"]
    return unit_values
