"""What `register` and `rollback` return: the decision, and the record of champions."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass

import pandas as pd

from smartrisk.errors import Message
from smartrisk.results import Result, clean_text, notebook_table
from smartrisk.tracking._champions import Move
from smartrisk.tracking._gate import Judgement

_FRAME = ["number", "at", "kind", "version", "by", "reason"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Registration(Result):
    """A registered version, and how it compared with the champion.

    Parameters
    ----------
    name : str
        Registered model.
    version : str
        Version of the engine in it.
    judgement : Judgement
        The gate, the comparison, and on what it was made.

    Examples
    --------
    >>> from smartrisk.tracking import Registration
    >>> callable(Registration.frame)
    True
    """

    name: str
    version: str
    judgement: Judgement

    @property
    def promoted(self) -> bool:
        """Whether the version became the champion."""
        return self.judgement.passed

    @property
    def model_uri(self) -> str:
        """Address of the version, for `load` and every ``--engine``."""
        return f"models:/{self.name}/{self.version}"

    @property
    def message(self) -> Message:
        """What was decided and why."""
        return _describe(self)

    def frame(self) -> pd.DataFrame:
        """Return one row per metric, that of the gate first.

        Returns
        -------
        frame : DataFrame
            metric, challenger, champion, gain, low, high, as `PairedGain.frame`;
            without a champion, challenger only.
        """
        return self.judgement.table.copy()

    def __repr__(self) -> str:
        """Return the version and what it became."""
        became = "champion" if self.promoted else "challenger"
        return f"Registration({self.name!r}, version {self.version}: {became})"

    def __str__(self) -> str:
        """Return the decision in a sentence."""
        return str(self.message)

    def _repr_html_(self) -> str:
        """Return the decision and the comparison as HTML for a notebook."""
        return notebook_table(self.frame(), str(self))


def _describe(registration: Registration) -> Message:
    """Return the decision as a message."""
    judgement = registration.judgement
    gain, gate = judgement.gain, judgement.gate
    common = {
        "name": registration.name,
        "version": registration.version,
        "metric": gate.metric,
        "data": judgement.data.message,
        "challenger": judgement.challenger,
    }
    if gain is None:
        return Message(
            "tracking.first_champion",
            "{name} version {version} is the champion: there was none to compare with. "
            "{metric} {challenger:.4f} on {data}",
            **common,
        )
    common |= {
        "champion": gain.champion,
        "champion_version": str(judgement.champion),
        "gain": gain.gain,
        "low": gain.low,
        "high": gain.high,
        "least": gate.min_gain,
    }
    if judgement.passed:
        return Message(
            "tracking.new_champion",
            "{name} version {version} is the champion: {metric} {challenger:.4f} "
            "against {champion:.4f} of version {champion_version}, gain {gain:+.4f} "
            "[{low:+.4f}, {high:+.4f}] on {data}",
            **common,
        )
    if math.isnan(gain.low):
        return Message(
            "tracking.too_few_traders",
            "{name} version {version} stays challenger: {n_groups} traders are too few "
            "for an interval. {metric} {challenger:.4f} against {champion:.4f} of "
            "version {champion_version} on {data}",
            n_groups=gain.n_groups,
            **common,
        )
    return Message(
        "tracking.stays_challenger",
        "{name} version {version} stays challenger, {missing:.4f} short: the lower "
        "bound of the gain must exceed {least:g}. {metric} {challenger:.4f} against "
        "{champion:.4f} of version {champion_version}, gain {gain:+.4f} [{low:+.4f}, "
        "{high:+.4f}] on {data}",
        missing=gate.min_gain - gain.low,
        **common,
    )


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Champions(Result):
    """Every move of the champion of a registered model.

    Parameters
    ----------
    name : str
        Registered model.
    moves : tuple of Move
        In their order.

    Examples
    --------
    >>> from smartrisk.tracking import Champions
    >>> Champions(name="customs-risk", moves=())
    Champions(customs-risk: none)
    """

    name: str
    moves: tuple[Move, ...]

    @property
    def version(self) -> str | None:
        """The present champion; None where there is none."""
        return self.moves[-1].version if self.moves else None

    def frame(self) -> pd.DataFrame:
        """Return one row per move.

        Returns
        -------
        frame : DataFrame
            number, at (UTC), kind ("register", "rollback", or "found" for an alias that
            was set by other means), version, by, reason.
        """
        return pd.DataFrame([asdict(move) for move in self.moves], columns=_FRAME)

    def __repr__(self) -> str:
        """Return the present champion and who decided."""
        if not self.moves:
            return f"Champions({self.name}: none)"
        last = self.moves[-1]
        return (
            f"Champions({self.name}: version {last.version} since {last.at}, "
            f"{last.kind} by {clean_text(last.by, 60)})"
        )
