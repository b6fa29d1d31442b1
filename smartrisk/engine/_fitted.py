"""What an engine has learned: its parts, its version, and copies of it."""

from __future__ import annotations

import copy
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from smartrisk.datasets import example_declarations
from smartrisk.engine._display import settings_html
from smartrisk.engine._models import Classifier, Regressor
from smartrisk.engine._stages import StageReport
from smartrisk.engine._stakes import total_interval
from smartrisk.engine._state import EngineSettings, EngineState, Setting, describe
from smartrisk.engine._updating import UpdateReport
from smartrisk.features import DeclarationFeatures
from smartrisk.items import item_ids
from smartrisk.lineage import Source
from smartrisk.monitoring import InputProfile
from smartrisk.schema import TableInput
from smartrisk.validation import read_declarations


class FittedParts(BaseEstimator):
    """The learned parts of an engine, all under one private attribute."""

    #: Everything that was learned; the parameters are the only other attributes.
    _state: EngineState | None = None

    def __sklearn_is_fitted__(self) -> bool:
        """Return whether `fit` was called."""
        return self._state is not None

    def __copy__(self) -> Self:
        """Return what `copy` returns."""
        return self.copy()

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        """Return an engine with parameters of its own; what was learned is shared."""
        copied = self.copy()
        memo[id(self)] = copied
        for name, value in self.get_params(deep=False).items():
            setattr(copied, name, copy.deepcopy(value, memo))
        return copied

    def _repr_html_(self) -> str:
        """Return the parameters, and the version once fitted, as HTML."""
        version = None if self._state is None else self._state.version
        return settings_html(repr(self), self.describe(), version)

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        """Return text and HTML for a notebook, which prefers this to `_repr_html_`."""
        return {"text/plain": repr(self), "text/html": self._repr_html_()}

    @property
    def features_(self) -> DeclarationFeatures:
        """The fitted history and features.

        A copy that shares the history: its own `update` leaves the engine as it is.
        """
        return self._need_state().features.copy()

    @property
    def classifier_(self) -> Classifier:
        """The fitted model of a hit."""
        return self._need_state().classifier

    @property
    def regressor_(self) -> Regressor:
        """The fitted model of revenue."""
        return self._need_state().regressor

    @property
    def version_(self) -> str:
        """Digest of everything that decides a score."""
        return self._need_state().version

    @property
    def profile_(self) -> InputProfile | None:
        """What the inputs were like when the engine was fitted; None if not known."""
        return self._need_state().profile

    @property
    def own_fields_(self) -> dict[str, str]:
        """Fields that the administration adds, and the kind of each."""
        return dict(self._need_state().own_fields)

    @property
    def sources_(self) -> tuple[Source, ...]:
        """From which files the items and results came, as far as it is known."""
        return self._need_state().sources

    @property
    def last_update_(self) -> UpdateReport | None:
        """What the last `update` or `forget` did; None after `fit` and `load`."""
        return self._need_state().last_update

    @property
    def target_(self) -> str:
        """What the models were fitted to find: one of `smartrisk.items.TARGETS`."""
        return self._need_state().target

    @property
    def stage_(self) -> str:
        """What the scores rest on: one of `smartrisk.schema.STAGES`."""
        return self._need_state().stage_name

    @property
    def stage_report_(self) -> StageReport | None:
        """The counts and thresholds of the stage; None in folders of earlier versions.

        An update of the history does not change it: the models learn in `fit`.
        """
        return self._need_state().stage

    @property
    def revenue_interval_(self) -> tuple[float, float] | None:
        """Factors between which the true total of expected revenue lies, in 90 %.

        Multiply a sum of `expected_revenue` over thousands of items by them. A total of
        few items varies more: one recovery can decide it. They are no correction: the
        sum itself is the best guess. None where a model of another library, or of an
        earlier version, did not measure them.
        """
        state = self._need_state()
        return total_interval(state.classifier, state.regressor)

    @property
    def history_until(self) -> pd.Timestamp | None:
        """Day of the last item in the history, None without a history.

        The features of items lodged later ignore what happened in between: extend the
        history with `update`.
        """
        day = self._need_state().features.last_day_
        return None if day is None else pd.Timestamp(day)

    @property
    def learned_until(self) -> pd.Timestamp | None:
        """Day of the last item whose result the models were fitted on.

        Judge the engine by items that were lodged later. None where none of these items
        is in the history any more.
        """
        day = self._need_state().last_learned_day()
        return None if day is None else pd.Timestamp(day)

    def has_learned(self, declarations: TableInput) -> NDArray[np.bool_]:
        """Return from the results of which items the models have learned.

        Parameters
        ----------
        declarations : DataFrame of shape (n_items, n_fields)
            Any table with the key.

        Returns
        -------
        learned : ndarray of bool, shape (n_items,)
            Figures of `evaluate` on such items are too good.
        """
        return self._need_state().has_learned(item_ids(declarations))

    def copy(self) -> Self:
        """Return an engine whose history grows on its own.

        Returns
        -------
        copied : RiskEngine
            With the same settings, models and history, at no cost: `fit` and `update`
            of either leave the other as it is.
        """
        copied = type(self).__new__(type(self))
        copied.__dict__.update(self.__dict__)
        return copied

    def describe(self) -> dict[str, Setting]:
        """Return the parameters in one flat dictionary, for a tracking run.

        Returns
        -------
        parameters : dict
            Names such as ``classifier.num_leaves`` to plain values.
        """
        return describe(self._settings(), self._state)

    def input_example(self) -> pd.DataFrame:
        """Return two invented items with the columns that the engine was fitted on.

        Returns
        -------
        example : DataFrame
            DECLARATIONS that name no real trader.
        """
        state = self._need_state()
        fields = set(state.features.feature_names_in_)
        frame = example_declarations(2)
        frame = frame[[name for name in frame if name in fields]]
        for name, kind in state.own_fields.items():
            frame = frame.assign(**{name: 1.0 if kind == "number" else "1"})
        return read_declarations(frame, state.own_fields)

    def _need_state(self) -> EngineState:
        """Return the fitted state, or raise scikit-learn's error."""
        if self._state is None:
            raise NotFittedError(
                "RiskEngine: not fitted. Call fit(declarations, outcomes) first, or "
                "RiskEngine.load(folder)."
            )
        return self._state

    def _settings(self) -> EngineSettings:
        """Return the parameters as one value."""
        return EngineSettings(**self.get_params(deep=False))
