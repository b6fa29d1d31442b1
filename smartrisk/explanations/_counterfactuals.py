"""What would have lowered the score: other plausible values of declared fields."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_number
from smartrisk.explanations._evidence import Declared, clean, tariff
from smartrisk.explanations._wording import Wording
from smartrisk.results import Result

Change = tuple[str, dict[str, Any]]

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
_MIN_PEERS = 5


@dataclass(frozen=True, kw_only=True)
class Counterfactuals(Result):
    """Plausible declared values under which items would have scored lower.

    Made by `counterfactuals`.

    Attributes
    ----------
    table : DataFrame
        What `frame` returns, without sentences.
    n_items : int
        Items asked about.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.explanations import Counterfactuals
    >>> Counterfactuals(table=pd.DataFrame(), n_items=3)
    <Counterfactuals: 0 for 3 items>
    """

    table: pd.DataFrame
    n_items: int

    def __repr__(self) -> str:
        return f"<Counterfactuals: {len(self.table):,} for {self.n_items:,} items>"

    def frame(self, lang: str = "en") -> pd.DataFrame:
        """Return one line per change, the one that lowers most first.

        Parameters
        ----------
        lang : str, default="en"
            Language of the sentences: "en", "fr" or "es".

        Returns
        -------
        frame : DataFrame
            ``declaration_id``, ``item_number``, ``field``, ``declared``, ``instead``,
            ``risk_score``, ``risk_instead``, ``change`` (below 0) and ``sentence``.
            Items that no plausible change of one field lowers have no line.
        """
        words = Wording(lang)
        said = [_sentence(line, words) for line in self.table.to_dict("records")]
        return self.table.assign(sentence=np.array(said, dtype=object))


def counterfactuals(
    declarations: pd.DataFrame,
    score: Callable[[pd.DataFrame], pd.DataFrame],
    past: pd.DataFrame,
    *,
    top: int = 3,
    least: float = 0.1,
) -> Counterfactuals:
    """Return other plausible declared values under which items score lower.

    Parameters
    ----------
    declarations : DataFrame of shape (n_items, n_fields)
        Canonical DECLARATIONS of the items asked about.
    score : callable or RiskEngine
        From DECLARATIONS to SCORES, as `RiskEngine.score`. Called once.
    past : DataFrame
        Canonical DECLARATIONS of earlier items: what is plausible is read from them.
    top : int, default=3
        Most changes per item.
    least : float, default=0.1
        A change is told if it lowers the risk by this part of it, from 0 to 1.

    Returns
    -------
    counterfactuals : Counterfactuals
        One field at a time (with what hangs on it), the largest fall first.

    Raises
    ------
    TableError
        If `past` is empty or has no tariff code.
    ArgumentError
        If `top` or `least` is out of range.

    Notes
    -----
    Plausible is: the customs value, and the net mass within the gross mass, that give
    the usual unit value of the same subheading and origin; origin and departure alike;
    the usual other code of the heading with its usual duty rate (and what is paid by
    it); the usual procedure and preference. Who the
    parties are is never changed. It says how the model reacts, not what is true, and
    is for officers: it teaches a declarant how to score lower. The idea of
    counterfactuals without opening the model is in [1]_.

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
    >>> found = counterfactuals(new, engine.score, past)
    >>> bool((found.frame()["change"] < 0).all())
    True
    """
    score = getattr(score, "score", score)
    if not callable(score):
        raise ArgumentError(
            "explanations.score_return_scores_declarations",
            "counterfactuals: 'score' must return SCORES of DECLARATIONS, as "
            "engine.score does; got {score_type}.",
            score_type=type(score).__name__,
        )
    check_number("counterfactuals", "top", top, low=1, integer=True)
    check_number("counterfactuals", "least", least, low=0, high=1)
    if past.empty or "tariff_code" not in past:
        raise TableError(
            "explanations.past_earlier_items_their",
            "counterfactuals: 'past' must hold earlier items with their tariff "
            "codes; got {n_past} lines. What is plausible is read from them.",
            n_past=len(past),
        )
    items = declarations[[c for c in declarations if not str(c).startswith("dq_")]]
    usual = _Usual(past)
    declared = Declared(items)
    changes: list[tuple[int, Change]] = [
        (row, change)
        for row in range(len(items))
        for change in _changes(declared, row, usual)
        if change[0] in items
    ]
    rows = [*range(len(items)), *(row for row, _ in changes)]
    asked = items.iloc[rows].reset_index(drop=True)
    for place, (_, (_, values)) in enumerate(changes, start=len(items)):
        for name, value in values.items():
            if name not in asked:
                continue  # what hangs on it was not declared
            asked[name] = _set(asked[name], place, value)
    asked["declaration_id"] = [f"{place}" for place in range(len(asked))]
    risk = np.empty(0)
    if len(asked):
        risk = score(asked)["risk_score"].to_numpy(np.float64)
    lines = [
        (
            str(declared("declaration_id", row)),
            number if (number := declared("item_number", row)) is not None else 1,
            field,
            declared(field, row),
            values[field],
            risk[row],
            risk[place],
            risk[place] - risk[row],
        )
        for place, (row, (field, values)) in enumerate(changes, start=len(items))
        if risk[place] < risk[row] * (1.0 - least)
    ]
    table = pd.DataFrame(lines, columns=list(_COLUMNS))
    keys = ["declaration_id", "item_number"]
    ranked = table.sort_values("change", kind="stable").groupby(keys, sort=False)
    return Counterfactuals(
        table=ranked.head(top).reset_index(drop=True), n_items=len(items)
    )


def _set(column: pd.Series, place: int, value: Any) -> pd.Series:
    """Return a column with one value changed, of a type that holds it."""
    whole = pd.api.types.is_integer_dtype(column.dtype)
    if isinstance(value, float) and whole:
        column = column.astype("float64")
    elif isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(object)
    column.iat[place] = value
    return column


class _Usual:
    """Usual values among earlier items."""

    def __init__(self, past: pd.DataFrame) -> None:
        code = past["tariff_code"].astype(str)
        here = pd.DataFrame({"code": code, "hs6": code.str[:6], "hs4": code.str[:4]})
        for name in ("origin", "procedure", "preference"):
            known = past[name] if name in past else pd.Series(pd.NA, past.index)
            here[name] = known.astype(object)
        for name in ("customs_value", "net_mass_kg", "duty_rate"):
            known = past[name] if name in past else pd.Series(np.nan, past.index)
            here[name] = known.astype("float64")
        whole = here["net_mass_kg"].to_numpy() > 0
        per_kg = here["customs_value"] / here["net_mass_kg"].where(whole)
        self._price: dict[Any, float] = {}
        for keys in ("hs6", ["hs6", "origin"]):
            found = per_kg.groupby([here[k] for k in np.atleast_1d(keys)]).agg(
                ["median", "count"]
            )
            found = found[(found["count"] >= _MIN_PEERS) & (found["median"] > 0)]
            self._price.update(found["median"].to_dict())
        self._codes = here.groupby("hs4")["code"].agg(
            lambda codes: list(codes.value_counts().index[:2])
        )
        self._rates: Mapping[Any, Any] = (
            here.groupby("code")["duty_rate"].median().to_dict()
        )
        self.procedure = _most(here["procedure"])
        self._preferences = here.groupby(["code", "origin"])["preference"].agg(_most)

    def price(self, code: str, origin: Any) -> float | None:
        """Return the usual value per kg, of the same origin where that is known."""
        found = self._price.get((code[:6], origin))
        return found if found is not None else self._price.get(code[:6])

    def other_code(self, code: str) -> tuple[str, float | None] | None:
        """Return the most usual other code of the heading, with its duty rate."""
        codes = self._codes.get(code[:4], [])
        found = next((str(other) for other in codes if other != code), None)
        if found is None:
            return None
        rate = self._rates.get(found, np.nan)
        return found, None if rate != rate else float(rate)

    def preference(self, code: str, origin: Any) -> Any:
        """Return the most usual preference of goods of an origin, None without one."""
        found = self._preferences.get((code, origin))
        return None if pd.isna(found) else found


def _most(values: pd.Series) -> Any:
    """Return the most frequent value, None when there is none."""
    counts = values.value_counts()
    return counts.index[0] if len(counts) else None


def _changes(declared: Declared, row: int, usual: _Usual) -> Iterator[Change]:
    """Give the plausible changes of one item: the field, and all values that change."""
    code = str(declared("tariff_code", row) or "")
    value, mass = declared("customs_value", row), declared("net_mass_kg", row)
    origin, departure = declared("origin", row), declared("departure", row)
    price = usual.price(code, origin)
    if price and value and mass and value > 0 and mass > 0:
        instead = float(f"{price * mass:.6g}")
        changed = {"customs_value": instead}
        due = declared("duties_taxes", row)
        if due is not None:
            changed["duties_taxes"] = float(due) * instead / value
        yield "customs_value", changed
        other_mass = float(f"{value / price:.6g}")
        if _possible(declared, row, other_mass):
            yield "net_mass_kg", {"net_mass_kg": other_mass}
    if origin and departure and origin != departure:
        yield "origin", {"origin": departure}
        yield "departure", {"departure": origin}
    other = usual.other_code(code)
    if other is not None:
        yield (
            "tariff_code",
            {"tariff_code": other[0], **_charged(declared, row, other[1])},
        )
    for name, found in (
        ("procedure", usual.procedure),
        ("preference", usual.preference(code, origin)),
    ):
        now = declared(name, row)
        if found is not None and now is not None and found != now:
            yield name, {name: found}


def _possible(declared: Declared, row: int, mass: float) -> bool:
    """Return whether a net mass fits what else is declared of the masses."""
    if str(declared("quantity_unit", row) or "").upper() in ("KGM", "KG"):
        return False  # the quantity says the mass already
    heavy = declared("gross_mass_kg", row)
    return heavy is None or 0.5 * float(heavy) <= mass <= float(heavy)


def _charged(declared: Declared, row: int, rate: float | None) -> dict[str, Any]:
    """Return what another duty rate makes of what is paid."""
    if rate is None:
        return {}
    parts = [declared(n, row) for n in ("duty_rate", "duties_taxes", "customs_value")]
    if any(part is None for part in parts):
        return {"duty_rate": rate}
    now, due, value = map(float, parts)
    # Taxes besides the duty stay as they are.
    return {"duty_rate": rate, "duties_taxes": max(due + value * (rate - now), 0.0)}


def _sentence(line: Mapping[Any, Any], words: Wording) -> str:
    """Say one change."""
    field = str(line["field"])
    return words.text(
        "instead",
        pair=words.pair(field, _plain(field, line["instead"])),
        declared=words.declared(field, _plain(field, line["declared"])),
        after=words.rate(float(line["risk_instead"])),
        before=words.rate(float(line["risk_score"])),
    )


def _plain(field: str, value: Any) -> Any:
    """Return a declared value fit to be said."""
    if value is None:
        return None
    if field == "tariff_code":
        return tariff(value)
    return float(value) if isinstance(value, (int, float)) else clean(value)
