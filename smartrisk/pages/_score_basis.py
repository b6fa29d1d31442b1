"""What the scores of an engine rest on: results, members, calibration, intervals."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from smartrisk.displays import Texts
from smartrisk.explanations import Wording
from smartrisk.items import ANY_HIT
from smartrisk.languages import catalogue
from smartrisk.pages._page import Section, Table
from smartrisk.pages._stages import target_notes
from smartrisk.schema import INTERVAL

if TYPE_CHECKING:
    from smartrisk.engine import RiskEngine, StageReport


@dataclass(frozen=True, kw_only=True)
class MemberFacts:
    """A member of the model: its name, trees, and weight in the raw score."""

    name: str
    n_trees: int
    weight: float


@dataclass(frozen=True, kw_only=True)
class ScoreBasis:
    """What the scores of an engine rest on, as far as its parts state it."""

    stage: str
    report: StageReport
    members: tuple[MemberFacts, ...] = ()
    calibration: Any = None
    total: tuple[float, float] | None = None
    target: str = ANY_HIT

    @classmethod
    def from_engine(cls, engine: RiskEngine) -> Self | None:
        """Return what the parts of a fitted engine state.

        None where it is not known, as of an engine that an earlier version saved. A
        classifier of another library has neither members nor a calibration here.
        """
        report = engine.stage_report_
        if report is None:
            return None
        model = engine.classifier_
        return cls(
            stage=engine.stage_,
            report=report,
            members=tuple(
                MemberFacts(
                    name=str(member.name),
                    n_trees=int(getattr(member, "n_trees", 0)),
                    weight=float(member.weight),
                )
                for member in getattr(model, "members_", ())
            ),
            calibration=getattr(model, "calibrator_", None),
            total=engine.revenue_interval_,
            target=engine.target_,
        )


def make_basis_section(basis: ScoreBasis, texts: Texts) -> Section:
    """Return stage and counts, the members, and how far a probability holds."""
    _ = texts.gettext
    translate = catalogue("messages", texts.lang).gettext
    return Section(
        title=_("What the scores rest on"),
        texts=(
            *target_notes(basis.target, texts),
            basis.report.message().text(translate),
            *_control_statements(basis, translate),
            _bias_statement(basis, texts),
        ),
        facts=[
            *_result_facts(basis, texts),
            *_calibration_facts(basis, texts),
            *_total_facts(basis, texts),
        ],
        tables=(_member_table(basis, texts),) if basis.members else (),
    )


def _control_statements(
    basis: ScoreBasis, translate: Callable[[str], str]
) -> tuple[str, ...]:
    """Return the share of documentary controls, where there are results."""
    if not basis.report.n_results:
        return ()
    return (basis.report.controls_message().text(translate),)


def _bias_statement(basis: ScoreBasis, texts: Texts) -> str:
    """Return for which items a probability holds."""
    _ = texts.gettext
    if basis.stage == "no results":
        return _(
            "Scores are no probabilities: they order items by directed signals, whose "
            "weights were chosen on synthetic worlds, not on your results."
        )
    return _(
        "A probability holds for items that are selected as those were whose results "
        "the model learned from. Among items that are seldom inspected the share of "
        "irregular ones may be lower or higher; random controls show by how much."
    )


def _result_facts(basis: ScoreBasis, texts: Texts) -> list[tuple[str, str]]:
    """Return the counts that decide the stage, and the share of the signals."""
    _ = texts.gettext
    report = basis.report
    hits = _("results with an irregularity")
    if basis.target != ANY_HIT:
        finding = Wording(texts.lang, basis.target).finding()
        hits = _("results with the finding “%(finding)s”") % {"finding": finding}
    return [
        (hits, texts.number(report.n_hits)),
        (_("results without one"), texts.number(report.n_misses)),
        (
            _("of both, from which the scores are those of a model"),
            texts.number(report.enough),
        ),
        (
            _("share of the directed signals in the score"),
            texts.rate(report.signals_weight),
        ),
    ]


def _calibration_facts(basis: ScoreBasis, texts: Texts) -> list[tuple[str, str]]:
    """Return how scores become probabilities, where they do."""
    _ = texts.gettext
    map_ = basis.calibration
    if map_ is None or basis.stage == "no results":
        return []
    fitted = _("calibration: later items that it was fitted on")
    if not map_.n_items:
        return [(fitted, _("none; the scores of the model are taken as they are"))]
    return [
        (fitted, texts.number(round(map_.n_items))),
        (
            _("irregular among them")
            if basis.target == ANY_HIT
            else _("with the finding among them"),
            texts.number(round(map_.n_hits)),
        ),
        (_("calibration: slope"), texts.decimal(map_.slope)),
        (_("calibration: shift of the log-odds"), texts.decimal(map_.intercept)),
        (
            _("change of the level between blocks of time, log-odds"),
            texts.decimal(map_.drift),
        ),
        (_("nominal level of the interval of a score"), texts.rate(INTERVAL)),
    ]


def _total_facts(basis: ScoreBasis, texts: Texts) -> list[tuple[str, str]]:
    """Return how far a total of expected revenue may be from the true one."""
    _ = texts.gettext
    if basis.total is None or basis.stage == "no results":
        return []
    lower, upper = (texts.words.ratio(factor) for factor in basis.total)
    name = _("true total of revenue, over the sum of the expected one, %(level)s")
    return [(name % {"level": texts.rate(INTERVAL)}, f"{lower} … {upper}")]


def _member_table(basis: ScoreBasis, texts: Texts) -> Table:
    """Return the members with their trees and weights."""
    _ = texts.gettext
    names = {
        "boosting": _("boosted trees"),
        "forest": _("random forest"),
        "extra_trees": _("boosted trees with random splits"),
        "signals": _("directed signals, which need no results"),
    }
    return Table(
        caption=_("Members of the model; their weighted scores add up"),
        heads=(
            texts.pgettext("head: of a model", "Member"),
            texts.pgettext("head: of a model", "Trees"),
            texts.pgettext("head: of a model", "Weight"),
        ),
        rows=[
            (
                names.get(member.name, member.name),
                texts.number(member.n_trees) if member.n_trees else "–",
                texts.rate(member.weight),
            )
            for member in basis.members
        ],
        numeric=frozenset((1, 2)),
        wide=frozenset((0,)),
    )
