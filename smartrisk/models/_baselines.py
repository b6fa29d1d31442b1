"""What the literature compares with: chance, value, duty, importer, risky profiles.

Each reads DECLARATIONS of inspected items with their 0/1 results and writes the
probability of a hit. Columns are found by name, whatever their order. A plain numeric
matrix is taken too, so that the estimators work in any scikit-learn tool.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.utils import check_random_state

from smartrisk.errors import (
    ArgumentError,
    TableError,
    check_number,
    check_sequence,
    format_values,
    suggest_nearest,
)
from smartrisk.models._date_features import DateFeaturesClassifier
from smartrisk.models._declaration_classifier import (
    DeclarationClassifier,
    Entities,
    Float,
    declared_columns,
    look_up,
    numbers,
    smoothed_rates,
)
from smartrisk.schema import DECLARATIONS, HS_LEVELS, KEY

__all__ = [
    "DateFeaturesClassifier",
    "DutyBaseline",
    "ImporterRateBaseline",
    "RandomBaseline",
    "SmoothedRateSum",
    "ValueBaseline",
]

#: Highest seed that NumPy's `RandomState` takes.
_MOST_SEED = 2**32 - 1
#: Entities whose hit rates make the risky profile of an item.
PROFILES: tuple[tuple[str, ...], ...] = (
    ("importer_id",),
    ("declarant_id",),
    ("consignor_id",),
    ("office",),
    ("tariff_code",),
    ("hs6",),
    ("hs4",),
    ("hs2",),
    ("origin",),
    ("hs6", "origin"),
    ("office", "importer_id"),
    ("office", "hs6"),
    ("office", "origin"),
)


class RandomBaseline(DeclarationClassifier):
    """Draw a number for each item: what inspecting by chance would find.

    The draw belongs to the item, not to its position: it is a keyed hash of
    (`declaration_id`, `item_number`), so the order of items, a partition of them or
    other columns change nothing. A plain matrix is hashed row by row.

    Parameters
    ----------
    random_state : int, RandomState or None, default=0
        Seed of the key; None for another key at each fit.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    See Also
    --------
    ValueBaseline : Inspect the items of the highest value first.

    Notes
    -----
    The number is uniform on (0, 1). It orders items; it is not a probability of a hit.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.models import RandomBaseline
    >>> X = pd.DataFrame({"declaration_id": ["a", "b", "c"], "item_number": 1})
    >>> random = RandomBaseline().fit(X, [0, 1, 0])
    >>> last = random.predict_proba(X)[2, 1]
    >>> bool(random.predict_proba(X.iloc[[2]])[0, 1] == last)
    True
    """

    _needs_table = False

    def __init__(self, random_state: int | np.random.RandomState | None = 0) -> None:
        self.random_state = random_state

    def _check_params(self) -> None:
        """Check the seed."""
        state = self.random_state
        if state is not None and not isinstance(state, np.random.RandomState):
            check_number(
                type(self).__name__,
                "random_state",
                state,
                low=0,
                high=_MOST_SEED,
                integer=True,
            )

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Choose the columns that are hashed, and draw the key."""
        found = tuple(name for name in KEY if name in frame.columns)
        if self._declared and "declaration_id" not in found:
            # Without a key, all declared fields together identify the item.
            found = tuple(
                f.name for f in DECLARATIONS if f.in_features and f.name in frame
            )
        self._used = found
        salt = check_random_state(self.random_state).randint(16**8, size=2)
        self._key = "".join(f"{part:08x}" for part in salt.tolist())

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return a number in (0, 1) for each item."""
        hashed = np.zeros(len(frame), np.uint64)
        for name in self._used if self._declared else frame.columns:
            values = frame[name]
            if name == "item_number":
                values = values.astype("int64")
            part = pd.util.hash_array(
                np.asarray(values, object if values.dtype.kind not in "fi" else None),
                hash_key=self._key,
            )
            with np.errstate(over="ignore"):
                hashed = _mix_murmur(hashed + part)
        drawn: Float = (hashed >> np.uint64(11)).astype(np.float64)
        return (drawn + 0.5) * 2.0**-53


def _mix_murmur(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Scramble 64-bit numbers (the finaliser of MurmurHash3; Appleby 2011).

    Another function than `smartrisk.items.mix`, so that the draws of the baseline are
    independent of ids and draws that are made with it.
    """
    with np.errstate(over="ignore"):
        z = (values ^ (values >> np.uint64(33))) * np.uint64(0xFF51AFD7ED558CCD)
        z = (z ^ (z >> np.uint64(33))) * np.uint64(0xC4CEB9FE1A85EC53)
        return z ^ (z >> np.uint64(33))


class ValueBaseline(DeclarationClassifier):
    """Rank items by declared customs value, highest first.

    Parameters
    ----------
    column : str, default="customs_value"
        Number to rank by; the first column of a plain matrix.

    Attributes
    ----------
    scale_ : float
        Median of the values in fit.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    See Also
    --------
    RandomBaseline : Inspect by chance.
    DutyBaseline : Inspect the items of the highest duty first.

    Notes
    -----
    The value v becomes ``(1 + z / (1 + |z|)) / 2`` with ``z = asinh(v / scale)``, which
    rises strictly, so the ranking is that of the values. A missing value comes last, at
    0. It orders items; it is not a probability of a hit.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.models import ValueBaseline
    >>> X = pd.DataFrame({"customs_value": [10.0, 20.0, 4000.0]})
    >>> ValueBaseline().fit(X, [0, 0, 1]).predict_proba(X)[:, 1].round(2)
    array([0.66, 0.73, 0.93])
    """

    _needs_table = False

    def __init__(self, column: str = "customs_value") -> None:
        self.column = column

    def _check_params(self) -> None:
        """Check the name of the column."""
        check_column(type(self).__name__, self.column)

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Learn the scale of the values."""
        name = self._need(frame, self.column)
        self._used = (name,) if self._declared else ()
        self.scale_ = _median_size(numbers(frame[name]))

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return a number in (0, 1) for each item."""
        return _squeeze(numbers(frame[self._need(frame, self.column)]), self.scale_)


class DutyBaseline(DeclarationClassifier):
    """Rank items by the duty at stake, highest first: what many offices do today.

    The duty is customs value times duty rate. Where X has no such rate, it is
    `duties_taxes` as assessed; of a plain matrix it is the first column.

    Attributes
    ----------
    columns_ : tuple of str
        The columns whose product is the duty.
    scale_ : float
        Median of the duties in fit.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    See Also
    --------
    ValueBaseline : Inspect the items of the highest value first.

    Notes
    -----
    The duty becomes a number in (0, 1) as in `ValueBaseline`; a missing one comes last,
    at 0. Nothing is learned from results. A duty rate of 0 leaves nothing at stake
    here, although a wrong code may hide a duty.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.models import DutyBaseline
    >>> X = pd.DataFrame({"customs_value": [900.0, 500.0, 800.0],
    ...                   "duty_rate": [0.0, 0.2, 0.05]})
    >>> DutyBaseline().fit(X, [0, 1, 0]).predict_proba(X)[:, 1].argsort()[::-1]
    array([1, 2, 0])
    """

    _needs_table = False

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Choose the columns, and learn the scale of the duties."""
        self.columns_: tuple[str, ...] = ("customs_value", "duty_rate")
        if not self._declared:
            self.columns_ = (frame.columns[0],)
        elif "duty_rate" not in frame and "duties_taxes" in frame:
            self.columns_ = ("duties_taxes",)
        self._used = self.columns_ if self._declared else ()
        self.scale_ = _median_size(self._duty(frame))

    def _duty(self, frame: pd.DataFrame) -> Float:
        """Return the duty of each item, NaN where a part of it is missing."""
        parts = [numbers(frame[self._need(frame, name)]) for name in self.columns_]
        return np.asarray(np.prod(parts, axis=0), np.float64)

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return a number in (0, 1) for each item."""
        return _squeeze(self._duty(frame), self.scale_)


def _median_size(values: Float) -> float:
    """Return the median of the sizes of amounts other than zero, else 1."""
    size = np.abs(values)
    size = size[size > 0]
    return float(np.median(size)) if len(size) else 1.0


def _squeeze(values: Float, scale: float) -> Float:
    """Return amounts as numbers in (0, 1) in the same order, 0 where missing."""
    z = np.arcsinh(values / scale)
    return np.nan_to_num(0.5 + 0.5 * z / (1.0 + np.abs(z)), nan=0.0)


class ImporterRateBaseline(DeclarationClassifier):
    """Score an item by what earlier inspections of its importer found.

    Parameters
    ----------
    smoothing : float, default=10.0
        Inspections at the overall rate that every importer is credited with, so that
        a few results do not decide.
    column : str, default="importer_id"
        Entity whose rate counts; the first column of a plain matrix.

    Attributes
    ----------
    overall_ : float
        Hit rate of all items in fit; the score of an importer not seen there.
    rates_ : dict of str to float
        Smoothed hit rate of each importer.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    See Also
    --------
    SmoothedRateSum : Add up the rates of many entities.

    Notes
    -----
    The rate is ``(hits + smoothing x overall) / (inspections + smoothing)``. The items
    of fit count themselves: judge it on later items only.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.models import ImporterRateBaseline
    >>> X = pd.DataFrame({"importer_id": ["a", "a", "b", "b"]})
    >>> rate = ImporterRateBaseline(smoothing=2).fit(X, [1, 1, 0, 0])
    >>> rate.predict_proba(pd.DataFrame({"importer_id": ["a", "b", "new"]}))[:, 1]
    array([0.75, 0.25, 0.5 ])
    """

    _needs_table = False

    def __init__(self, smoothing: float = 10.0, *, column: str = "importer_id") -> None:
        self.smoothing = smoothing
        self.column = column

    def _check_params(self) -> None:
        """Check the smoothing and the name of the column."""
        check_number(type(self).__name__, "smoothing", self.smoothing, low=0.0)
        check_column(type(self).__name__, self.column)

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Learn the hit rate of each importer."""
        name = self._need(frame, self.column)
        self._used = (name,) if self._declared else ()
        self.overall_ = float(hits.mean())
        self.rates_ = smoothed_rates(
            Entities(frame).key((name,)),
            hits,
            smoothing=self.smoothing,
            prior=self.overall_,
        )

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return a number in (0, 1) for each item."""
        name = self._need(frame, self.column)
        return look_up(Entities(frame).key((name,)), self.rates_, self.overall_)


class SmoothedRateSum(DeclarationClassifier):
    """Score an item by the mean of the smoothed hit rates of its traders and codes.

    The "risky profile" of the literature: who imports, declares and sends, what, from
    which country, at which office, and pairs of these. It is not a model, yet hard to
    beat where results are few.

    Parameters
    ----------
    smoothing : float, default=10.0
        Inspections at the overall rate that every entity is credited with.
    profiles : tuple of tuple of str, default=None
        Columns, or combinations of columns, whose rates are added up; ``hs2``, ``hs4``
        and ``hs6`` are read off `tariff_code`. None for the usual thirteen. Those that
        X lacks are left out; of a plain matrix every column is taken.

    Attributes
    ----------
    overall_ : float
        Hit rate of all items in fit; the rate of an entity not seen there.
    profiles_ : tuple of tuple
        The combinations in use.
    rates_ : tuple of dict
        Smoothed hit rate of each entity, one mapping per profile.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    See Also
    --------
    ImporterRateBaseline : The rate of the importer alone.
    DateFeaturesClassifier : Trees over flags of the highest rates.

    Notes
    -----
    The sum of the rates is divided by their number, so that it lies in (0, 1); the
    order is that of the sum. Entities are dependent, so the score is not a calibrated
    probability. The items of fit count themselves: judge it on later items only.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.models import SmoothedRateSum
    >>> X = pd.DataFrame({"importer_id": ["a", "a", "b", "b"], "origin": list("xyxy")})
    >>> X = X.assign(declaration_id=list("1234"), tariff_code="090121")
    >>> X = X.assign(lodged_at=pd.Timestamp("2024-03-01"))
    >>> profiles = (("importer_id",), ("origin",))
    >>> risky = SmoothedRateSum(smoothing=2, profiles=profiles).fit(X, [1, 1, 0, 0])
    >>> risky.predict_proba(X)[:, 1]
    array([0.625, 0.625, 0.375, 0.375])
    """

    def __init__(
        self,
        smoothing: float = 10.0,
        *,
        profiles: tuple[tuple[str, ...], ...] | None = None,
    ) -> None:
        self.smoothing = smoothing
        self.profiles = profiles

    def _check_params(self) -> None:
        """Check the smoothing and the profiles."""
        owner = type(self).__name__
        check_number(owner, "smoothing", self.smoothing, low=0.0)
        if self.profiles is not None:
            check_profiles(owner, "profiles", self.profiles)

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Learn the hit rates of each profile."""
        entities = Entities(frame)
        wanted: Sequence[tuple[Any, ...]] = self.profiles or PROFILES
        if not self._declared:
            wanted = [(name,) for name in frame.columns]
        self.profiles_ = tuple(tuple(p) for p in wanted if entities.has(p))
        if not self.profiles_:
            raise TableError(
                "models.no_column_of_profiles",
                "SmoothedRateSum: X has none of the columns of its profiles; at "
                "least one is needed, such as {columns}.",
                columns=format_values(p[0] for p in wanted[:3]),
            )
        self._used = declared_columns(self.profiles_) if self._declared else ()
        self.overall_ = float(hits.mean())
        self.rates_ = tuple(
            smoothed_rates(
                entities.key(p), hits, smoothing=self.smoothing, prior=self.overall_
            )
            for p in self.profiles_
        )

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return a number in (0, 1) for each item."""
        entities = Entities(frame)
        total = np.zeros(len(frame))
        for profile, rates in zip(self.profiles_, self.rates_, strict=True):
            total += look_up(entities.key(profile), rates, self.overall_)
        return total / len(self.profiles_)


def check_column(owner: str, column: object) -> None:
    """Raise unless `column` is the name of a column."""
    if not isinstance(column, str) or not column:
        raise ArgumentError(
            "models.column_not_a_name",
            "{owner}: 'column' must be the name of a column; got {column}.",
            owner=owner,
            column=repr(column),
        )


def check_profiles(owner: str, name: str, profiles: Sequence[tuple[str, ...]]) -> None:
    """Raise unless `profiles` are combinations of declared columns."""
    check_sequence(owner, name, profiles, content="tuples of column names")
    allowed = (*DECLARATIONS.names, *HS_LEVELS)
    for profile in profiles:
        if not isinstance(profile, (tuple, list)) or not profile:
            raise ArgumentError(
                "models.profile_not_a_tuple",
                "{owner}: {name!r} must hold tuples of column names; got "
                "{profile!r}. Write ('office',) for a single column.",
                owner=owner,
                name=name,
                profile=profile,
            )
        for column in profile:
            if column not in allowed:
                raise ArgumentError(
                    "models.unknown_column_of_profile",
                    "{owner}: {name!r} has {column!r}, which is neither a field of "
                    "DECLARATIONS nor 'hs2', 'hs4' or 'hs6'.{hint}",
                    owner=owner,
                    name=name,
                    column=column,
                    hint=suggest_nearest(str(column), allowed),
                )
