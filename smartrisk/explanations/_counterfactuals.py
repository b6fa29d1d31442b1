"""What would have lowered the score: other plausible values of declared fields."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_number
from smartrisk.explanations._facts import (
    DeclaredValues,
    format_tariff_code,
    short_text,
)
from smartrisk.explanations._wording import Wording, make_wording
from smartrisk.items import stage_of
from smartrisk.results import Result
from smartrisk.schema import HS_LEVELS, KEY, TableInput
from smartrisk.tables import read_table

_COLUMNS = (
    "declaration_id",
    "item_number",
    "field",
    "declared",
    "instead",
    "risk_score",
    "risk_instead",
    "change",
)
#: Earlier items that a usual unit value needs: a median of fewer is often one trader's.
_MIN_PEERS = 5
#: Lowest net mass as a part of the gross mass; packing seldom weighs more than goods.
_LEAST_NET_SHARE = 0.5
#: Codes kept per heading: the most frequent, and another where it is declared.
_CODES_OF_HEADING = 2


class Scorer(Protocol):
    """Anything that scores DECLARATIONS, such as a fitted `RiskEngine`."""

    def score(self, declarations: pd.DataFrame, /) -> pd.DataFrame:
        """Return SCORES of items."""


class Counterfactuals(Result):
    """Plausible declared values under which items would have scored lower.

    Made by `counterfactuals`.

    Parameters
    ----------
    table : DataFrame
        What `frame` returns, without sentences.
    n_items : int
        Number of items that were examined.
    stage : str, default="model"
        What the scores rest on: one of `smartrisk.schema.STAGES`.

    Examples
    --------
    >>> import smartrisk as sr
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> past, new = world.declarations.iloc[:2_900], world.declarations.iloc[2_900:]
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> changes = sr.explanations.counterfactuals(new, engine.score, past)
    >>> changes.n_items, list(changes.frame().columns)[-2:]
    (100, ['change', 'sentence'])
    """

    def __init__(
        self, table: pd.DataFrame, *, n_items: int, stage: str = "model"
    ) -> None:
        self._table = table.copy()
        self._n_items = n_items
        self._stage = stage

    @property
    def n_items(self) -> int:
        """Number of items that were examined."""
        return self._n_items

    def __repr__(self) -> str:
        n_changes = len(self._table)
        return f"Counterfactuals(n_changes={n_changes}, n_items={self._n_items})"

    def frame(self, *, lang: str = "en") -> pd.DataFrame:
        """Return one row per change; of each item, the largest fall first.

        Parameters
        ----------
        lang : str, default="en"
            Language of the sentences: "en", "fr" or "es".

        Returns
        -------
        frame : DataFrame
            ``declaration_id``, ``item_number``, ``field``, ``declared``, ``instead``,
            ``risk_score``, ``risk_instead``, ``change`` (below 0) and ``sentence``.
            Items that no plausible change of one field lowers have no row.
        """
        words = make_wording("Counterfactuals.frame", lang)
        rows = self._table.to_dict("records")
        sentences = [_make_sentence(row, words, self._stage) for row in rows]
        return self._table.assign(sentence=np.array(sentences, dtype=object))


@dataclass(frozen=True)
class _Change:
    """A plausible other declaration of one item."""

    row: int
    field: str
    values: Mapping[str, Any]  # of the field and those that depend on it


def counterfactuals(
    declarations: TableInput,
    score: Scorer | Callable[[pd.DataFrame], pd.DataFrame],
    past: TableInput,
    *,
    top: int = 3,
    min_reduction: float = 0.1,
) -> Counterfactuals:
    """Return other plausible declared values under which items score lower.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS of the items to examine.
    score : callable or RiskEngine
        Function from DECLARATIONS to SCORES, such as `RiskEngine.score`. Called once.
    past : DataFrame
        Canonical DECLARATIONS of earlier items: they define what is plausible.
    top : int, default=3
        Maximum number of changes per item, at least 1.
    min_reduction : float, default=0.1
        A change is listed if it lowers the risk by at least this fraction of it, from 0
        to 1.

    Returns
    -------
    counterfactuals : Counterfactuals
        Changes of one field at a time, with its dependent fields.

    Raises
    ------
    TableError
        If `past` is empty or has no tariff code.
    ArgumentError
        If `score` cannot score, or `top` or `min_reduction` is out of range.

    Notes
    -----
    These values are plausible: the customs value, and the net mass within the gross
    mass, that give the usual unit value of the same subheading and origin; origin and
    departure equal; the usual other code of the heading with its usual duty rate (and
    the duty at that rate); the usual procedure and preference. The parties never
    change.

    A change states how the model reacts, not what is true. It is for officers: it
    would teach a declarant how to score lower. The idea of counterfactuals without
    opening the model is in [1]_.

    References
    ----------
    .. [1] Wachter, S., Mittelstadt, B., Russell, C. (2018). Counterfactual explanations
       without opening the black box. Harvard Journal of Law & Technology 31, 841-887.

    Examples
    --------
    >>> import smartrisk as sr
    >>> from smartrisk.explanations import counterfactuals
    >>> world = sr.datasets.make_declarations(3_000, random_state=0)
    >>> past, new = world.declarations.iloc[:2_900], world.declarations.iloc[2_900:]
    >>> engine = sr.RiskEngine().fit(world.declarations, world.outcomes)
    >>> changes = counterfactuals(new, engine.score, past)
    >>> bool((changes.frame()["change"] < 0).all())
    True
    """
    declarations = read_table("counterfactuals", "'declarations'", declarations)
    past = read_table("counterfactuals", "'past'", past)
    score_items = getattr(score, "score", score)
    if not callable(score_items):
        raise ArgumentError(
            "explanations.score_not_callable",
            "counterfactuals: 'score' must return SCORES of DECLARATIONS, as "
            "engine.score does; got {type_name}.",
            type_name=type(score).__name__,
        )
    check_number("counterfactuals", "top", top, low=1, integer=True)
    check_number("counterfactuals", "min_reduction", min_reduction, low=0, high=1)
    if past.empty or "tariff_code" not in past:
        raise TableError(
            "explanations.no_earlier_items",
            "counterfactuals: 'past' must hold earlier items with their tariff "
            "codes, which define what is plausible; got {n_past} rows.",
            n_past=len(past),
        )
    items = declarations[[c for c in declarations if not str(c).startswith("dq_")]]
    usual, declared = _UsualValues(past), DeclaredValues(items)
    changes = [
        change
        for row in range(len(items))
        for change in _plausible_changes(declared, row, usual)
        if change.field in items
    ]
    altered = _apply_changes(items, changes)
    risk, stage = np.empty(0), "model"
    if len(altered):
        scores = _without_guard(score_items)(altered)
        risk, stage = scores["risk_score"].to_numpy(np.float64), stage_of(scores)
    table = _list_reductions(declared, changes, risk, 1.0 - min_reduction)
    ranked = table.sort_values("change", kind="stable").groupby(list(KEY), sort=False)
    return Counterfactuals(
        ranked.head(top).reset_index(drop=True), n_items=len(items), stage=stage
    )


def _without_guard(score: Callable[..., pd.DataFrame]) -> Callable[..., pd.DataFrame]:
    """Return a function that scores altered items, of which a guard would warn."""
    if "guard" in inspect.signature(score).parameters:
        return functools.partial(score, guard="off")
    return score


def _apply_changes(items: pd.DataFrame, changes: list[_Change]) -> pd.DataFrame:
    """Return the items as declared, and below them a row for each change."""
    rows = [*range(len(items)), *(change.row for change in changes)]
    altered = items.iloc[rows].reset_index(drop=True)
    for place, change in enumerate(changes, start=len(items)):
        for name, value in change.values.items():
            if name in altered:  # a dependent field may not be declared
                altered[name] = _replace_value(altered[name], place, value)
    # Each row is a document of its own: a key may be scored once.
    altered["declaration_id"] = [f"{place}" for place in range(len(altered))]
    return altered


def _list_reductions(
    declared: DeclaredValues,
    changes: list[_Change],
    risk: np.ndarray[Any, np.dtype[np.float64]],
    factor: float,
) -> pd.DataFrame:
    """Return the changes under which the risk is below `factor` times what it is."""
    n_items = len(risk) - len(changes)
    rows = [
        (
            str(declared("declaration_id", change.row)),
            1 if (number := declared("item_number", change.row)) is None else number,
            change.field,
            declared(change.field, change.row),
            change.values[change.field],
            risk[change.row],
            risk[place],
            risk[place] - risk[change.row],
        )
        for place, change in enumerate(changes, start=n_items)
        if risk[place] < risk[change.row] * factor
    ]
    return pd.DataFrame(rows, columns=list(_COLUMNS))


def _replace_value(column: pd.Series, place: int, value: Any) -> pd.Series:
    """Return a column with one value changed, of a type that holds it."""
    whole = pd.api.types.is_integer_dtype(column.dtype)
    if isinstance(value, float) and whole:
        column = column.astype("float64")
    elif isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    column.iat[place] = value
    return column


@dataclass(frozen=True)
class _OtherCode:
    """Another code of the same heading, with its usual duty rate."""

    code: str
    rate: float | None


class _UsualValues:
    """Usual values among earlier items."""

    def __init__(self, past: pd.DataFrame) -> None:
        code = past["tariff_code"].astype(str)
        earlier = pd.DataFrame({"code": code})
        for level in ("hs6", "hs4"):
            earlier[level] = code.str[: HS_LEVELS[level]]
        for name in ("origin", "procedure", "preference"):
            known = past[name] if name in past else pd.Series(pd.NA, past.index)
            earlier[name] = known.astype(object)
        for name in ("customs_value", "net_mass_kg", "duty_rate"):
            known = past[name] if name in past else pd.Series(np.nan, past.index)
            earlier[name] = known.astype("float64")
        self._price = _usual_prices(earlier)
        self._codes = earlier.groupby("hs4")["code"].agg(
            lambda codes: list(codes.value_counts().index[:_CODES_OF_HEADING])
        )
        self._rates: Mapping[Any, Any] = (
            earlier.groupby("code")["duty_rate"].median().to_dict()
        )
        self.procedure = _most_frequent(earlier["procedure"])
        by_goods = earlier.groupby(["code", "origin"])["preference"]
        self._preferences = by_goods.agg(_most_frequent)

    def price(self, code: str, origin: Any) -> float | None:
        """Return the usual value per kg, of the same origin where that is known."""
        hs6 = code[: HS_LEVELS["hs6"]]
        price = self._price.get((hs6, origin))
        return price if price is not None else self._price.get(hs6)

    def other_code(self, code: str) -> _OtherCode | None:
        """Return the most usual other code of the heading."""
        codes = self._codes.get(code[: HS_LEVELS["hs4"]], [])
        other = next((str(one) for one in codes if one != code), None)
        if other is None:
            return None
        rate = self._rates.get(other, np.nan)
        return _OtherCode(other, None if rate != rate else float(rate))

    def preference(self, code: str, origin: Any) -> Any:
        """Return the most usual preference of goods of an origin, None without one."""
        preference = self._preferences.get((code, origin))
        return None if pd.isna(preference) else preference


def _usual_prices(earlier: pd.DataFrame) -> dict[Any, float]:
    """Return the median value per kg by subheading, and by subheading and origin."""
    has_mass = earlier["net_mass_kg"].to_numpy() > 0
    per_kg = earlier["customs_value"] / earlier["net_mass_kg"].where(has_mass)
    prices: dict[Any, float] = {}
    for keys in ("hs6", ["hs6", "origin"]):
        grouped = per_kg.groupby([earlier[k] for k in np.atleast_1d(keys)])
        figures = grouped.agg(["median", "count"])
        enough = (figures["count"] >= _MIN_PEERS) & (figures["median"] > 0)
        prices.update(figures[enough]["median"].to_dict())
    return prices


def _most_frequent(values: pd.Series) -> Any:
    """Return the most frequent value, None when there is none."""
    counts = values.value_counts()
    return counts.index[0] if len(counts) else None


def _plausible_changes(
    declared: DeclaredValues, row: int, usual: _UsualValues
) -> Iterator[_Change]:
    """Yield the plausible changes of one item."""
    code = str(declared("tariff_code", row) or "")
    origin, departure = declared("origin", row), declared("departure", row)
    yield from _price_changes(declared, row, usual.price(code, origin))
    if origin and departure and origin != departure:
        yield _Change(row, "origin", {"origin": departure})
        yield _Change(row, "departure", {"departure": origin})
    other = usual.other_code(code)
    if other is not None:
        duty = _duty_at_rate(declared, row, other.rate)
        yield _Change(row, "tariff_code", {"tariff_code": other.code, **duty})
    for name, value in (
        ("procedure", usual.procedure),
        ("preference", usual.preference(code, origin)),
    ):
        now = declared(name, row)
        if value is not None and now is not None and value != now:
            yield _Change(row, name, {name: value})


def _price_changes(
    declared: DeclaredValues, row: int, price: float | None
) -> Iterator[_Change]:
    """Yield the value, and the mass, that give the usual value per kg."""
    value, mass = declared("customs_value", row), declared("net_mass_kg", row)
    if not (price and value and mass and value > 0 and mass > 0):
        return
    instead = float(f"{price * mass:.6g}")
    values = {"customs_value": instead}
    due = declared("duties_taxes", row)
    if due is not None:
        values["duties_taxes"] = float(due) * instead / value
    yield _Change(row, "customs_value", values)
    other_mass = float(f"{value / price:.6g}")
    if _is_plausible_mass(declared, row, other_mass):
        yield _Change(row, "net_mass_kg", {"net_mass_kg": other_mass})


def _is_plausible_mass(declared: DeclaredValues, row: int, mass: float) -> bool:
    """Return whether a net mass fits what else is declared of the masses."""
    if str(declared("quantity_unit", row) or "").upper() in ("KGM", "KG"):
        return False  # the quantity is the mass already
    gross = declared("gross_mass_kg", row)
    return gross is None or _LEAST_NET_SHARE * float(gross) <= mass <= float(gross)


def _duty_at_rate(
    declared: DeclaredValues, row: int, rate: float | None
) -> dict[str, float]:
    """Return another duty rate with the duties and taxes that it leads to."""
    if rate is None:
        return {}
    parts = [declared(n, row) for n in ("duty_rate", "duties_taxes", "customs_value")]
    if any(part is None for part in parts):
        return {"duty_rate": rate}
    now, due, value = map(float, parts)
    # Taxes besides the duty stay as they are.
    return {"duty_rate": rate, "duties_taxes": max(due + value * (rate - now), 0.0)}


def _make_sentence(row: Mapping[Any, Any], words: Wording, stage: str) -> str:
    """Return one change as a sentence."""
    field = str(row["field"])
    return words.text(
        words.name_by_stage("instead", stage),
        field=words.field(field),
        value=words.declared_value(field, _stated_value(field, row["instead"])),
        declared=words.declared_value(field, _stated_value(field, row["declared"])),
        after=words.score(float(row["risk_instead"]), stage),
        before=words.score(float(row["risk_score"]), stage),
    )


def _stated_value(field: str, value: Any) -> str | float | None:
    """Return a declared value fit for a sentence."""
    if value is None:
        return None
    if field == "tariff_code":
        return format_tariff_code(value)
    return float(value) if isinstance(value, (int, float)) else short_text(value)
