"""Boosted trees on the declared columns as they are, from any of four libraries."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from smartrisk.errors import MissingExtraError, check_choice
from smartrisk.models._boosting import check_jobs_and_seed, load_lightgbm
from smartrisk.models._declaration_classifier import DeclarationClassifier, Float
from smartrisk.schema import DECLARATIONS, KEY

LIBRARIES = ("lightgbm", "scikit-learn", "catboost", "xgboost")


class ColumnBoosting(DeclarationClassifier):
    """Boosted trees on the declared columns only, without any history.

    Codes and names go in as categories, in the way that the library recommends:
    LightGBM's, XGBoost's and CatBoost's own categories; for scikit-learn its
    ``TargetEncoder`` before ``HistGradientBoostingClassifier``. Everything else is the
    library's default. Use it to see what the history of traders and goods adds.

    Parameters
    ----------
    library : {"lightgbm", "scikit-learn", "catboost", "xgboost"}, default="lightgbm"
        Library whose trees are used; install the last two with
        ``pip install 'smartrisk[rivals]'``.
    random_state : int, default=0
        Seed.

    Attributes
    ----------
    classes_ : ndarray of shape (2,)
        The two classes.
    model_ : object
        The library's fitted model.

    References
    ----------
    Prokhorenkova, L., Gusev, G., Vorobev, A., Dorogush, A. V., Gulin, A. (2018).
    CatBoost: unbiased boosting with categorical features. NeurIPS.

    Examples
    --------
    >>> from smartrisk.datasets import make_declarations
    >>> from smartrisk.models import ColumnBoosting
    >>> world = make_declarations(2_000, random_state=0)
    >>> hits = world.truth["illicit"].to_numpy()
    >>> model = ColumnBoosting().fit(world.declarations, hits)
    >>> model.predict_proba(world.declarations.tail(3)).shape
    (3, 2)
    """

    _poor = False

    def __init__(self, library: str = "lightgbm", *, random_state: int = 0) -> None:
        self.library = library
        self.random_state = random_state

    def _check_params(self) -> None:
        """Check the library and the seed."""
        check_choice("ColumnBoosting", "library", self.library, LIBRARIES)
        check_jobs_and_seed("ColumnBoosting", None, self.random_state)

    def _learn(self, frame: pd.DataFrame, hits: Float) -> None:
        """Learn from columns and hits."""
        self._used = tuple(
            name
            for name in frame.columns
            if not self._declared
            or (
                name in DECLARATIONS
                and name not in KEY
                and DECLARATIONS[name].in_features
            )
        )
        self._levels: dict[Any, pd.Index] = {}
        X = self._columns(frame, learn=True)
        self.model_ = self._new(list(self._levels)).fit(X, hits.astype(int))

    def _score(self, frame: pd.DataFrame) -> Float:
        """Return the probability of a hit."""
        X = self._columns(frame, learn=False)
        return np.asarray(self.model_.predict_proba(X)[:, 1], np.float64)

    def _columns(self, frame: pd.DataFrame, *, learn: bool) -> pd.DataFrame:
        """Return numbers as they are, codes as categories, dates in parts."""
        out: dict[str, Any] = {}
        for name in self._used:
            values = frame[name]
            if pd.api.types.is_datetime64_any_dtype(values):
                out[f"{name} month"] = values.dt.month.astype(float)
                out[f"{name} weekday"] = values.dt.day_of_week.astype(float)
            elif pd.api.types.is_numeric_dtype(values):
                out[str(name)] = values.to_numpy(np.float64, na_value=np.nan)
            else:
                if learn:
                    self._levels[str(name)] = pd.Index(sorted(values.dropna().unique()))
                out[str(name)] = self._encode(str(name), values)
        return pd.DataFrame(out, index=frame.index)

    def _encode(self, name: str, values: pd.Series) -> Any:
        """Return a code in the form that the library takes."""
        known = values.where(values.isin(self._levels[name]))
        if self.library in ("catboost", "scikit-learn"):
            return known.astype(object).where(known.notna(), "missing").to_numpy()
        return pd.Categorical(known, categories=self._levels[name])

    def _new(self, codes: list[str]) -> Any:
        """Return an unfitted model of the library."""
        if self.library == "lightgbm":
            return load_lightgbm().LGBMClassifier(
                random_state=self.random_state, n_jobs=1, verbose=-1, deterministic=True
            )
        if self.library == "scikit-learn":
            return _encoded_trees(codes, self.random_state)
        if self.library == "catboost":
            made = _import_library("catboost").CatBoostClassifier
            return made(
                random_seed=self.random_state,
                cat_features=codes,
                thread_count=1,
                verbose=False,
                allow_writing_files=False,
            )
        return _import_library("xgboost").XGBClassifier(
            random_state=self.random_state, enable_categorical=True, n_jobs=1
        )


def _encoded_trees(codes: list[str], random_state: int) -> Any:
    """Return scikit-learn's trees behind its target encoder."""
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import TargetEncoder

    trees = HistGradientBoostingClassifier(random_state=random_state)
    if not codes:
        return trees
    encoder = TargetEncoder(target_type="binary", **_folds(random_state))
    return make_pipeline(
        ColumnTransformer([("codes", encoder, codes)], remainder="passthrough"), trees
    )


def _folds(random_state: int) -> dict[str, Any]:
    """Return the encoder's folds, repeatable; scikit-learn 1.9 takes them as `cv`."""
    import sklearn
    from sklearn.model_selection import StratifiedKFold

    release = tuple(int(part) for part in sklearn.__version__.split(".")[:2])
    if release < (1, 9):
        return {"random_state": random_state}
    return {"cv": StratifiedKFold(5, shuffle=True, random_state=random_state)}


def _import_library(library: str) -> Any:
    """Return an optional library, or raise with the line that installs it."""
    import importlib

    try:
        return importlib.import_module(library)
    except ImportError as error:
        raise MissingExtraError(library, extra="rivals") from error
