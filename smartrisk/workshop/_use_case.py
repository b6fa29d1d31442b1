"""A use case to share: what a logged run states, on two pages."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import pandas as pd

from smartrisk.datasets import SCENARIOS
from smartrisk.errors import ArgumentError, check_choice, check_number, format_values
from smartrisk.pages import UseCaseFacts, UseCaseSheet
from smartrisk.schema import DECLARATIONS
from smartrisk.tracking import LoggedRun, Run, read_run

_USUAL_RATE = 0.05
#: Size of the world to repeat a real case on: seconds to make, enough for a model.
_LEAST_ITEMS, _MOST_ITEMS = 5_000, 50_000
#: Shift of a field that is worth a line, in the words of `monitoring`.
_MOVED = ("moderate", "large")
_MOST_MOVED = 5


@dataclass(frozen=True, kw_only=True)
class UseCase:
    """A use case of an administration, to present to others.

    Use `from_run`. The sheet names no party, no declaration and no office, and leaves
    out counts below 10.

    Parameters
    ----------
    sheet : UseCaseSheet
        The page, as HTML and Markdown.

    Examples
    --------
    >>> import smartrisk as sr
    >>> case = sr.workshop.UseCase.from_run(run)  # doctest: +SKIP
    >>> case.save("use-case", lang="fr")  # doctest: +SKIP
    """

    sheet: UseCaseSheet

    @classmethod
    def from_run(
        cls,
        run: Run | str,
        *,
        tracking_uri: str | os.PathLike[str] | None = None,
        title: str = "",
        answers: Mapping[str, str] | None = None,
        capacity: float | None = None,
        cost_per_control: float | None = None,
        scenario: str | None = None,
        seed: int | None = None,
    ) -> Self:
        """Return the use case of a logged run.

        Parameters
        ----------
        run : Run or str
            What `smartrisk.tracking.log_run` returned, the identifier of a run, or the
            address of a registered model.
        tracking_uri : str or path, default=None
            Address of the store, as for `smartrisk.tracking.load`.
        title : str, default=""
            Title of the sheet, at most 400 characters.
        answers : mapping of str to str, default=None
            What only a person can say: "question", "achieved", "cost", "failed" and
            "contact", at most 400 characters each. What is not given is a marked place
            to complete.
        capacity : float or int, default=None
            Inspection rate to show, one of those evaluated; None for 0.05 where it was
            evaluated, else the largest.
        cost_per_control : float, default=None
            Cost of one control, in the currency of the revenue.
        scenario : str, default=None
            Synthetic world to repeat the case on; None for the one that the run names,
            else "national".
        seed : int, default=None
            Its seed; None for the one that the run names, else 0.

        Returns
        -------
        case : UseCase
            Write it with `save`.

        Raises
        ------
        TrackingError
            If the store has no such run, or the run states nothing about its data.
        ArgumentError
            If an argument is outside what is allowed.
        """
        owner = "UseCase.from_run"
        if cost_per_control is not None:
            check_number(owner, "cost_per_control", cost_per_control, low=0.0)
        if scenario is not None:
            check_choice(owner, "scenario", scenario, tuple(SCENARIOS))
        if seed is not None:
            check_number(owner, "seed", seed, low=0, integer=True)
        logged = read_run(run, tracking_uri=tracking_uri)
        chosen, rates = _choose_rate(logged.rates, capacity)
        facts = UseCaseFacts(
            version=logged.version,
            day=f"{logged.started:%Y-%m-%d}",
            capacity=chosen,
            settings=logged.settings,
            facts=_keep_known_fields(logged.facts),
            rates=rates,
            drift=_find_moved(logged.drift),
            world=_choose_world(logged, scenario, seed),
            made_up=_find_world(logged) is not None,
        )
        sheet = UseCaseSheet(
            facts=facts,
            answers=dict(answers or {}),
            title=title,
            cost_per_control=cost_per_control,
        )
        return cls(sheet=sheet)

    def to_html(self, *, lang: str = "en") -> str:
        """Return the sheet as HTML; it prints on two pages of A4.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        html : str
            Self-contained.
        """
        return self.sheet.to_html(lang=lang)

    def to_markdown(self, *, lang: str = "en") -> str:
        """Return the sheet as Markdown.

        Parameters
        ----------
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        markdown : str
            The same content as `to_html`.
        """
        return self.sheet.to_markdown(lang=lang)

    def save(self, folder: str | Path, *, lang: str = "en") -> dict[str, Path]:
        """Write ``use-case.html`` and ``use-case.md``.

        Parameters
        ----------
        folder : str or Path
            Where they go; it is created when absent.
        lang : str, default="en"
            "en", "fr" or "es".

        Returns
        -------
        paths : dict of str to Path
            "html" and "markdown".
        """
        target = Path(folder)
        return {
            "html": self.sheet.save(target / "use-case.html", lang=lang),
            "markdown": self.sheet.save_markdown(target / "use-case.md", lang=lang),
        }


def _choose_rate(
    rates: pd.DataFrame, capacity: float | None
) -> tuple[float, list[dict[str, Any]]]:
    """Return the rate that is shown, and its rows."""
    known = [] if rates.empty else sorted(set(rates["rate"].tolist()))
    if capacity is not None and capacity not in known:
        raise ArgumentError(
            "workshop.rate_not_evaluated",
            "UseCase.from_run: 'capacity' must be a rate of the run's evaluation, one "
            "of {known}; got {capacity!r}. Leave it out, or log an evaluation at this "
            "rate.",
            known=format_values(known) or "none",
            capacity=capacity,
        )
    if not known:
        return _USUAL_RATE, []
    usual = _USUAL_RATE if _USUAL_RATE in known else known[-1]
    chosen = usual if capacity is None else capacity
    rows = rates[rates["rate"] == chosen].to_dict("records")
    return float(chosen), [{str(k): v for k, v in row.items()} for row in rows]


def _keep_known_fields(facts: Mapping[str, Any]) -> dict[str, Any]:
    """Return the facts with the fields of DECLARATIONS only."""
    data = {
        context: {
            **about,
            "fields": [name for name in about["fields"] if name in DECLARATIONS.names],
        }
        for context, about in facts.get("data", {}).items()
    }
    return {**facts, "data": data}


def _find_moved(drift: pd.DataFrame) -> tuple[str, ...]:
    """Return the fields of DECLARATIONS that moved most."""
    if drift.empty:
        return ()
    moved = drift[drift["shift"].isin(_MOVED) & drift["field"].isin(DECLARATIONS.names)]
    ordered = moved.sort_values("psi", ascending=False, kind="stable")
    return tuple(ordered["field"].head(_MOST_MOVED))


def _find_world(logged: LoggedRun) -> dict[str, Any] | None:
    """Return the world that the run names, if it is one of the scenarios."""
    world = logged.world()
    return world if world is not None and world["scenario"] in SCENARIOS else None


def _choose_world(
    logged: LoggedRun, scenario: str | None, seed: int | None
) -> dict[str, Any]:
    """Return the synthetic world on which the case can be repeated."""
    stated = _find_world(logged)
    if stated is None:
        data = logged.facts.get("data", {})
        n_items = sum(int(about["n_items"]) for about in data.values())
        rounded = round(min(max(n_items, _LEAST_ITEMS), _MOST_ITEMS), -3)
        stated = {"scenario": "national", "n_items": rounded, "seed": 0}
    return {
        "scenario": stated["scenario"] if scenario is None else scenario,
        "n_items": stated["n_items"],
        "seed": stated["seed"] if seed is None else int(seed),
    }
