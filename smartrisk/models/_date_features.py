"""The feature set on which DATE and its successors are built, with boosted trees."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import check_number
from smartrisk.models._boosting import (
    MOST_THREADS,
    check_jobs_and_seed,
    count_threads,
    make_dataset,
    train,
)
from smartrisk.models._declaration_classifier import (
    DeclarationClassifier,
    Entities,
    Float,
    declared_columns,
    look_up,
    numbers,
    smoothed_rates,
    source,
)
from smartrisk.schema import DECLARATIONS, HS_LEVELS

#: Entities flagged when among the highest hit rates (Kim et al. 2020, their code).
_FLAGGED: tuple[tuple[str, ...], ...] = (
    ("importer_id",),
    ("declarant_id",),
    ("hs6", "origin"),
    ("tariff_code",),
    ("quantity",),
    ("hs6",),
    ("hs4",),
    ("hs2",),
    ("office",),
    ("office", "importer_id"),
    ("office", "hs6"),
    ("office", "origin"),
)
#: Declared numbers, in the order of DATE's published code.
_MEASURES = tuple(
    sorted(
        f.name
        for f in DECLARATIONS
        if f.role == "measure" and f.kind == "number" and f.in_features
    )
)
_RATIOS = (
    ("customs_value", "quantity"),
    ("customs_value", "gross_mass_kg"),
    ("customs_value", "net_mass_kg"),
    ("duties_taxes", "customs_value"),
    ("duties_taxes", "quantity"),
)
#: Goods codes from the finest to the coarsest.
_CODES = ("tariff_code", *sorted(HS_LEVELS, reverse=True))
#: Inspections without a hit that every entity is credited with, as in DATE's code.
_RATE_SMOOTHING = 10.0


class DateFeaturesClassifier(DeclarationClassifier):
    """Boosted trees on the features that DATE and its successors are built on.

    Values, their ratios, the calendar, goods codes read as numbers, and flags for the
    tenth of the importers, brokers, goods ... with the highest hit rates: the usual
    machine-learning contender of the literature.

    Parameters
    ----------
    n_estimators : int, default=100
        Trees.
    learning_rate : float, default=0.3
        Shrinkage of each tree; the default of DATE's published code.
    max_depth : int, default=4
        Depth of each tree.
    flag_share : float, default=0.1
        Share of the entities with the highest smoothed hit rates that is flagged.
    n_jobs : int, default=4
        Threads at most; fewer than 20,000 items use one. None for one, or as
        ``joblib.parallel_config`` says; -1 for every processor, -2 for all but one.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    feature_names_ : tuple of str
        Names of the features of the trees, in order.
    flags_ : dict of str to dict
        The flagged entities of each flag.
    booster_ : lightgbm.Booster
        The trees.
    classes_ : ndarray of shape (2,)
        The two labels, the hit last.

    See Also
    --------
    RiskClassifier : Trees on features as of the day, calibrated.
    SmoothedRateSum : The same hit rates without trees.

    Notes
    -----
    Flags are fitted on the items that the trees learn from, and contain the results of
    these: this follows the published code, and is the reason why it overfits entities
    with few inspections. Two departures: a ratio over zero is missing, not infinite,
    and equal rates are flagged or not together, so that the order of items does not
    matter. The smoothed rate of a flag is hits / (inspections + 10). A plain matrix is
    given to the trees as it stands.

    References
    ----------
    Kim, S. et al. (2020). DATE: dual attentive tree-aware embedding for customs fraud
    detection. KDD 2020.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.models import DateFeaturesClassifier
    >>> X = pd.DataFrame({"tariff_code": ["090121", "640399"] * 20})
    >>> X = X.assign(declaration_id=[f"D{k}" for k in range(40)])
    >>> X = X.assign(lodged_at=pd.Timestamp("2024-03-01"))
    >>> trees = DateFeaturesClassifier(n_estimators=20).fit(X, [0, 1] * 20)
    >>> trees.feature_names_[:2]
    ('tariff_code', 'hs6')
    >>> trees.predict(X[:2])
    array([0, 1])
    """

    _poor = False

    def __init__(
        self,
        n_estimators: int = 100,
        *,
        learning_rate: float = 0.3,
        max_depth: int = 4,
        flag_share: float = 0.1,
        n_jobs: int | None = MOST_THREADS,
        random_state: int = 0,
    ) -> None:
        self.n_estimators = n_estimators
        self.learning_rate = learning_rate
        self.max_depth = max_depth
        self.flag_share = flag_share
        self.n_jobs = n_jobs
        self.random_state = random_state

    def _check_params(self) -> None:
        """Check the parameters of trees and flags."""
        owner = type(self).__name__
        check_number(owner, "n_estimators", self.n_estimators, low=1, integer=True)
        check_number(owner, "learning_rate", self.learning_rate, low=1e-6, high=1.0)
        check_number(owner, "max_depth", self.max_depth, low=1, high=16, integer=True)
        check_number(owner, "flag_share", self.flag_share, low=0.0, high=1.0)
        check_jobs_and_seed(owner, self.n_jobs, self.random_state)

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Find the flagged entities and train the trees."""
        entities = Entities(frame)
        self.flags_: dict[str, dict[str, float]] = {}
        self._keys: dict[str, tuple[str, ...]] = {}
        for names in _FLAGGED if self._declared else ():
            if entities.has(names):
                flag = "_x_".join(names) + "__flag"
                self._keys[flag] = names
                self.flags_[flag] = _highest(
                    smoothed_rates(
                        entities.key(names), hits, smoothing=_RATE_SMOOTHING, prior=0.0
                    ),
                    self.flag_share,
                )
        columns = self._features(frame)
        self.feature_names_ = tuple(columns)
        self._used = self._sources(frame)
        params = self._params(len(hits))
        data = make_dataset(_matrix(columns), hits, params, ())
        self.booster_ = train(data, params, self.n_estimators)

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return the probability of a hit."""
        columns = self._features(frame)
        return np.asarray(
            self.booster_.predict(
                _matrix({name: columns[name] for name in self.feature_names_}),
                num_threads=count_threads(self.n_jobs, len(frame)),
            )
        )

    def _features(self, frame: pd.DataFrame) -> dict[str, Float]:
        """Return every feature that the columns allow, by name."""
        if not self._declared:
            return {str(name): numbers(frame[name]) for name in frame.columns}
        entities = Entities(frame)
        out = {name: numbers(frame[name]) for name in _MEASURES if name in frame}
        for top, bottom in _RATIOS:
            if top in out and bottom in out:
                out[f"{top}_per_{bottom}"] = _ratio(out[top], out[bottom])
        for name in _CODES:
            if entities.has((name,)):
                codes, texts = entities.key((name,))
                table = {t: float(t) for t in texts if t.isdecimal()}
                out[name] = look_up((codes, texts), table, np.nan)
        if "lodged_at" in frame:
            out |= _calendar(frame["lodged_at"])
        for flag, names in self._keys.items():
            out[flag] = look_up(entities.key(names), self.flags_[flag], 0.0)
        return out

    def _sources(self, frame: pd.DataFrame) -> tuple[str, ...]:
        """Return the declared columns from which features are computed."""
        if not self._declared:
            return ()
        plain = {*_MEASURES, *map(source, _CODES), "lodged_at"}
        keys = declared_columns(list(self._keys.values()))
        return tuple(name for name in frame if name in plain or name in keys)

    def _params(self, n_items: int) -> dict[str, Any]:
        """Return the parameters of LightGBM."""
        return {
            "objective": "binary",
            "learning_rate": self.learning_rate,
            "max_depth": self.max_depth,
            "num_leaves": 2**self.max_depth,
            "min_data_in_leaf": max(1, min(20, n_items // 10)),
            "deterministic": True,
            "force_col_wise": True,
            "num_threads": count_threads(self.n_jobs, n_items),
            "seed": self.random_state,
            "verbosity": -1,
        }


def _highest(rates: dict[str, float], share: float) -> dict[str, float]:
    """Return 1.0 for the entities with the highest rates; never for a rate of zero."""
    count = int(np.ceil(len(rates) * share))
    if not count:
        return {}
    values = np.fromiter(rates.values(), np.float64, len(rates))
    cut = np.partition(values, -count)[-count]
    return {text: 1.0 for text, rate in rates.items() if rate >= cut and rate > 0}


def _ratio(top: Float, bottom: Float) -> Float:
    """Return a ratio; missing where the lower number is zero or missing."""
    ratio: Float = np.full(len(top), np.nan)
    np.divide(top, bottom, out=ratio, where=bottom != 0)
    return ratio


def _calendar(moments: pd.Series) -> dict[str, Float]:
    """Return day, week and month of the year."""
    when = moments.dt
    return {
        "day_of_year": numbers(when.day_of_year),
        "week_of_year": numbers(when.isocalendar()["week"]),
        "month": numbers(when.month),
    }


def _matrix(columns: dict[str, Float]) -> Float:
    """Return columns side by side."""
    return np.column_stack(list(columns.values()))
