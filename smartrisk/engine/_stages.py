"""What the scores of an engine rest on: signals alone, few results, or many."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from smartrisk.errors import Message
from smartrisk.results import Result
from smartrisk.schema import STAGES

#: Of hits and of other results at least, from which trees learn at all.
FEWEST = 1
#: Of hits and of other results at least, for the stage "model". At sixty the signals
#: weigh a quarter of the score, and the standard error of a hit rate is an eighth.
ENOUGH = 60
#: Most of anything that a saved engine counts.
_MOST = 2**63 - 1


@dataclass(frozen=True, kw_only=True, eq=False)
class StageReport(Result):
    """What the scores of an engine rest on, with the counts that decide it.

    Parameters
    ----------
    n_items : int
        Items of the fit.
    n_results : int
        Results of items that the models were fitted on.
    n_hits : int
        Hits among them.
    signals_weight : float
        Share of the signals in the raw score, in [0, 1].
    n_documentary : int, default=None
        Results of documentary controls; None where no result states its kind.
    n_kind_known : int, default=0
        Results that state the kind of their control.
    documentary_weight : float, default=1.0
        Weight of a documentary control without a finding, against 1 for the others.
    fewest, enough : int
        Hits, and results without one, from which trees learn at all, and from which the
        stage is "model".

    Examples
    --------
    >>> from smartrisk.engine import StageReport
    >>> StageReport(n_items=900, n_results=0, n_hits=0, signals_weight=1.0).stage
    'no results'
    """

    n_items: int
    n_results: int
    n_hits: int
    signals_weight: float
    n_documentary: int | None = None
    n_kind_known: int = 0
    documentary_weight: float = 1.0
    fewest: int = FEWEST
    enough: int = ENOUGH

    @property
    def n_misses(self) -> int:
        """Results without a hit."""
        return self.n_results - self.n_hits

    @property
    def stage(self) -> str:
        """One of `smartrisk.schema.STAGES`."""
        least = min(self.n_hits, self.n_misses)
        return STAGES[(least >= self.fewest) + (least >= self.enough)]

    def frame(self) -> pd.DataFrame:
        """Return the counts and the thresholds.

        Returns
        -------
        frame : DataFrame
            One row for each ``measure``, with its ``value``.
        """
        values = {"stage": self.stage, **asdict(self), "n_misses": self.n_misses}
        rows = list(values.items())
        return pd.DataFrame(rows, columns=["measure", "value"], dtype=object)

    def message(self) -> Message:
        """Return in a sentence what the scores rest on.

        Returns
        -------
        message : Message
            With the counts.
        """
        counts: dict[str, Any] = {
            "n_results": self.n_results,
            "n_hits": self.n_hits,
            "n_misses": self.n_misses,
        }
        if self.stage == STAGES[0]:
            return Message(
                "engine.stage_no_results",
                "There are no results to learn from yet ({n_hits} hits and {n_misses} "
                "others; both are needed): scores put items in an order by their "
                "signals and are no probabilities.",
                **counts,
            )
        counts |= {"enough": self.enough, "percent": round(100 * self.signals_weight)}
        if self.stage == STAGES[1]:
            return Message(
                "engine.stage_few_results",
                "There are few results ({n_hits} hits and {n_misses} others; the model "
                "needs {enough} of both): {percent} % of the score rests on signals.",
                **counts,
            )
        return Message(
            "engine.stage_model",
            "The model learned from {n_results} results, {n_hits} of them hits.",
            **counts,
        )

    def controls_message(self) -> Message:
        """Return in a sentence what is known of the kinds of the controls.

        Returns
        -------
        message : Message
            With the share of documentary controls, which seldom find anything.
        """
        if not self.n_kind_known or self.n_documentary is None:
            return Message(
                "engine.control_kinds_unknown",
                "The kind of the controls is not stated: how many of them looked at "
                "documents only, and so seldom find anything, is not known.",
            )
        return Message(
            "engine.documentary_controls",
            "{percent} % of the {n_kind_known} controls of a stated kind were "
            "documentary; one without a finding counts {weight} times one of the "
            "others.",
            percent=round(100 * self.n_documentary / self.n_kind_known),
            n_kind_known=self.n_kind_known,
            weight=f"{self.documentary_weight:.2f}",
        )

    def __repr__(self) -> str:
        """Return the stage and the counts that decide it."""
        return (
            f"StageReport({self.stage}: {self.n_hits} hits, {self.n_misses} others, "
            f"{self.n_items} items)"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return plain values for JSON.

        Returns
        -------
        plain : dict
            What `from_plain` reads.
        """
        return asdict(self)

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> Self:
        """Return the report that `to_plain` described.

        Parameters
        ----------
        plain : mapping
            As from `to_plain`.

        Returns
        -------
        report : StageReport
            With the same values.

        Raises
        ------
        ValueError
            If the values are not those of a report.
        """
        if set(plain) != {field.name for field in fields(cls)}:
            raise ValueError(f"the stage has the names {sorted(map(str, plain))}")
        for name, value in plain.items():
            kinds = (int, float) if name.endswith("weight") else int
            empty = value is None and name == "n_documentary"
            right = isinstance(value, kinds) and not isinstance(value, bool)
            most = 1.0 if name.endswith("weight") else _MOST
            if not empty and not (right and 0 <= value <= most):
                raise ValueError(f"{name!r} of the stage is {value!r}")
        report = cls(**plain)
        part = report.n_documentary or 0
        if not part <= report.n_kind_known <= report.n_results >= report.n_hits:
            raise ValueError("a part of the results is more than all of them")
        return report


def are_both_there(hits: NDArray[np.int64]) -> bool:
    """Return whether there are hits and other results, so that trees can learn."""
    n_hits = int((hits > 0).sum())
    return min(n_hits, len(hits) - n_hits) >= FEWEST
