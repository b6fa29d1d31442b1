"""What agreements and law require of selectivity, and what the library can show.

Sources: Regulation (EU) 2024/1689, articles 9 to 15; WTO Trade Facilitation Agreement,
article 7.4; revised Kyoto Convention, General Annex, chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self, TypeAlias

import pandas as pd

from smartrisk.displays import Texts
from smartrisk.errors import ArgumentError, format_values, suggest_nearest
from smartrisk.evaluation import Evaluation, Segments
from smartrisk.languages import N_
from smartrisk.ledger import Verification
from smartrisk.monitoring import Drift
from smartrisk.pages._data_card import DataCard
from smartrisk.pages._page import Section, Table
from smartrisk.schema import DECLARATIONS

#: The inspection rate that the table quotes: a usual capacity.
_QUOTED_RATE = 0.05


@dataclass(frozen=True, kw_only=True)
class DecisionCounts:
    """How many items were decided on, selected, and selected at random."""

    n_items: int
    n_selected: int
    n_random: int

    @classmethod
    def from_decisions(cls, decisions: pd.DataFrame) -> Self:
        """Return the counts of DECISIONS."""
        selected = decisions["channel"] != "green"
        n_random = 0
        if "selected_by" in decisions:
            at_random = (decisions["selected_by"] == "random").fillna(False)
            n_random = int((selected & at_random).sum())
        return cls(
            n_items=len(decisions), n_selected=int(selected.sum()), n_random=n_random
        )

    @property
    def selected_share(self) -> float:
        """Share of the items that were selected."""
        return self.n_selected / self.n_items

    @property
    def random_share(self) -> float:
        """Share of the selected items that were selected at random."""
        return self.n_random / max(self.n_selected, 1)


@dataclass(frozen=True, kw_only=True)
class CardInputs:
    """What a model card was made from; None where it was not given."""

    version: str
    fields: tuple[str, ...]
    intended_use: str | None
    oversight: str | None
    evaluation: Evaluation | None
    segments: Segments | None
    data: DataCard | None
    decisions: DecisionCounts | None
    ledger: Verification | None
    drift: Drift | None
    answers: Mapping[str, str]
    stage: str = "model"
    has_intervals: bool = False


#: Writes what can be shown for an obligation; an empty text for nothing.
Evidence: TypeAlias = Callable[[CardInputs, Texts], str]


@dataclass(frozen=True)
class Obligation:
    """A point of an agreement or law, in short, and what can be shown for it."""

    source: str
    point: str
    text: str
    evidence: Evidence

    @property
    def code(self) -> str:
        """Source and point, the key of the answers of an administration."""
        return f"{self.source} {self.point}"


def _join_parts(parts: Sequence[str], texts: Texts) -> str:
    """Join texts with the semicolon of the language; empty ones are left out."""
    joined = ""
    for part in filter(None, parts):
        if joined:
            part = texts.words.text("list.also", first=joined, more=part)
        joined = part
    return joined


def describe_gaps(segments: Segments, texts: Texts) -> str:
    """Return the widest gaps of selection rates between segments, in words."""
    _ = texts.gettext
    table = segments.gaps()
    rows = table[table["measure"] == "selection_rate"]
    gaps = [
        _("%(segment)s: %(low)s (%(lowest)s) to %(high)s (%(highest)s)")
        % {
            "segment": texts.segment(line["segment"]),
            "low": texts.rate(line["low"]),
            "lowest": texts.segment_value(line["lowest"]),
            "high": texts.rate(line["high"]),
            "highest": texts.segment_value(line["highest"]),
        }
        for line in rows.to_dict("records")
    ]
    return _join_parts(gaps, texts)


def _show_precision(inputs: CardInputs, texts: Texts) -> str:
    """Return precision and recall at the inspection rate nearest to a usual one."""
    if inputs.evaluation is None:
        return ""
    _ = texts.gettext
    table = inputs.evaluation.frame()
    table = table[table["rank_by"] == "risk_score"]
    n_items = inputs.evaluation.overall()["n_items"]
    shares = table["n_inspected"] / max(n_items, 1.0)
    line = table.iloc[(shares - _QUOTED_RATE).abs().argmin()]
    return _(
        "inspecting %(rate)s finds irregularities in %(precision)s of the inspected "
        "(%(between)s) and reaches %(recall)s of all"
    ) % {
        "rate": texts.share(line, n_items),
        "precision": texts.rate(line["precision"]),
        "between": texts.between(line.get("precision_low"), line.get("precision_high")),
        "recall": texts.rate(line["recall"]),
    }


def _show_accuracy(inputs: CardInputs, texts: Texts) -> str:
    """Return precision and calibration."""
    if inputs.evaluation is None:
        return ""
    _ = texts.gettext
    error = texts.decimal(inputs.evaluation.overall()["calibration_error"])
    calibrated = _("calibration error %(error)s; saved models carry checksums")
    precision = _show_precision(inputs, texts)
    return _join_parts([precision, calibrated % {"error": error}], texts)


def _show_data(inputs: CardInputs, texts: Texts) -> str:
    """Return what the data card holds."""
    if inputs.data is None:
        return ""
    facts = inputs.data.scorecard.facts()
    return texts.gettext(
        "data card: %(n)s items, results for %(share)s of them, how the inspected "
        "differ from the others"
    ) % {
        "n": texts.number(facts.n_items),
        "share": texts.rate(facts.inspected_share),
    }


def _show_documents(inputs: CardInputs, texts: Texts) -> str:
    """Return that the card states parameters and version."""
    return texts.gettext("this card; parameters and model version %(version)s") % {
        "version": inputs.version
    }


def _show_ledger(inputs: CardInputs, texts: Texts) -> str:
    """Return how many entries the ledger has, and whether its chain is whole."""
    if inputs.ledger is None:
        return ""
    _ = texts.gettext
    whole = _("chain whole") if inputs.ledger.ok else _("chain broken")
    return _("ledger with %(n)s entries, %(whole)s") % {
        "n": texts.number(inputs.ledger.n_entries),
        "whole": whole,
    }


def _show_reasons(inputs: CardInputs, texts: Texts) -> str:
    """Return that every score has reasons."""
    if inputs.stage == "no results":
        return texts.gettext(
            "every score comes with additive reasons, their evidence and suggested "
            "checks; every page states that there are no results yet"
        )
    return texts.gettext(
        "every score comes with additive reasons, their evidence, suggested checks and "
        "a calibrated statement of strength"
    )


def _show_oversight(inputs: CardInputs, texts: Texts) -> str:
    """Return the administration's own text, and what is left to an officer."""
    parts = [inputs.oversight or ""]
    if inputs.has_intervals and inputs.stage != "no results":
        parts.append(
            texts.gettext(
                "items whose score is too uncertain to decide are marked for an officer"
            )
        )
    return _join_parts(parts, texts)


def _show_gaps(inputs: CardInputs, texts: Texts) -> str:
    """Return the gaps of selection rates between segments."""
    if inputs.segments is None:
        return ""
    gaps = describe_gaps(inputs.segments, texts)
    return texts.gettext("selection rates compared: %(gaps)s") % {"gaps": gaps or "–"}


def _show_concentration(inputs: CardInputs, texts: Texts) -> str:
    """Return the share released and the share of random controls."""
    if inputs.decisions is None:
        return _show_precision(inputs, texts)
    return texts.gettext(
        "%(green)s of the items released; %(random)s of the controls at random"
    ) % {
        "green": texts.fine(1.0 - inputs.decisions.selected_share),
        "random": texts.rate(inputs.decisions.random_share),
    }


def _show_criteria(inputs: CardInputs, texts: Texts) -> str:
    """Return the declared fields that the model reads."""
    names = [name for name in DECLARATIONS.names if name in inputs.fields]
    fields = texts.words.join([texts.words.field(name) for name in names])
    return texts.gettext("declared fields that the model reads: %(fields)s") % {
        "fields": fields
    }


def _show_capacity(inputs: CardInputs, texts: Texts) -> str:
    """Return the share of items controlled."""
    if inputs.decisions is None:
        return ""
    return texts.gettext(
        "%(share)s of the items controlled, within a fixed capacity"
    ) % {"share": texts.fine(inputs.decisions.selected_share)}


def _show_analysis(inputs: CardInputs, texts: Texts) -> str:
    """Return that every item has a score."""
    _ = texts.gettext
    if inputs.stage == "no results":
        return _("a score of directed signals per item; no results yet")
    return _("a calibrated risk score and expected revenue per item")


def _show_random_controls(inputs: CardInputs, texts: Texts) -> str:
    """Return the share of random controls, where there are any."""
    if inputs.decisions is None or not inputs.decisions.n_random:
        return ""
    return texts.gettext(
        "%(random)s of the controls at random, with their propensity: the compliance "
        "of the whole flow can be estimated"
    ) % {"random": texts.rate(inputs.decisions.random_share)}


def _show_drift(inputs: CardInputs, texts: Texts) -> str:
    """Return how many fields moved since the reference."""
    if inputs.drift is None:
        return ""
    table = inputs.drift.frame()
    n_moved = int((table["shift"] != "stable").sum())
    return texts.gettext(
        "declared fields compared with the reference: %(moved)s of %(all)s moved"
    ) % {"moved": texts.number(n_moved), "all": texts.number(len(table))}


def _show_coverage(inputs: CardInputs, texts: Texts) -> str:
    """Return how many items were scored and given a channel."""
    if inputs.decisions is None:
        return ""
    return texts.gettext("each of %(n)s items was scored and given a channel") % {
        "n": texts.number(inputs.decisions.n_items)
    }


def _show_nothing(inputs: CardInputs, texts: Texts) -> str:
    """Return nothing: only the administration can answer."""
    return ""


_AI, _TFA, _RKC = "EU AI Act", "TFA", "RKC"
OBLIGATIONS: tuple[Obligation, ...] = (
    Obligation(
        _AI, "9", N_("risk management over the life of the system"), _show_drift
    ),
    Obligation(
        _AI,
        "10",
        N_("data governance: origin, suitability, bias of the data"),
        _show_data,
    ),
    Obligation(_AI, "11", N_("technical documentation"), _show_documents),
    Obligation(_AI, "12", N_("automatic records of events"), _show_ledger),
    Obligation(_AI, "13", N_("transparency towards those who use it"), _show_reasons),
    Obligation(_AI, "14", N_("human oversight"), _show_oversight),
    Obligation(_AI, "15", N_("accuracy, robustness, cybersecurity"), _show_accuracy),
    Obligation(
        _TFA, "7.4.1", N_("a risk management system for customs control"), _show_nothing
    ),
    Obligation(
        _TFA, "7.4.2", N_("no arbitrary or unjustifiable discrimination"), _show_gaps
    ),
    Obligation(
        _TFA,
        "7.4.3",
        N_(
            "control concentrates on high risk, low risk is released; chance may select"
        ),
        _show_concentration,
    ),
    Obligation(_TFA, "7.4.4", N_("appropriate selectivity criteria"), _show_criteria),
    Obligation(_RKC, "6.1", N_("all goods are subject to control"), _show_coverage),
    Obligation(
        _RKC, "6.2", N_("control limited to what compliance requires"), _show_capacity
    ),
    Obligation(_RKC, "6.3", N_("control uses risk management"), _show_concentration),
    Obligation(
        _RKC,
        "6.4",
        N_("risk analysis decides what is examined, and how far"),
        _show_analysis,
    ),
    Obligation(
        _RKC, "6.5", N_("a strategy to measure compliance"), _show_random_controls
    ),
    Obligation(_RKC, "6.6", N_("audit-based controls"), _show_nothing),
    Obligation(
        _RKC, "6.7", N_("co-operation with other administrations"), _show_nothing
    ),
    Obligation(_RKC, "6.8", N_("co-operation with the trade"), _show_nothing),
    Obligation(
        _RKC, "6.9", N_("information technology supports control"), _show_documents
    ),
    Obligation(
        _RKC, "6.10", N_("evaluation of traders' commercial systems"), _show_nothing
    ),
)


def make_obligations_section(inputs: CardInputs, texts: Texts) -> Section:
    """Return the table of obligations, each with what can be shown."""
    _ = texts.gettext
    table = Table(
        caption=_("Point by point"),
        heads=(
            texts.pgettext("head: law or convention", "Source"),
            _("What it asks, in short"),
            _("What can be shown"),
        ),
        rows=[
            (
                obligation.code,
                _(obligation.text),
                _describe_evidence(obligation, inputs, texts),
            )
            for obligation in OBLIGATIONS
        ],
        wide=frozenset((1, 2)),
    )
    return Section(
        title=_("What agreements and law ask"),
        texts=(
            _(
                "This is not a claim of compliance. Whether a duty applies, and "
                "whether it is met, is for the administration to decide. “Not "
                "provided” means that nothing was handed to this card that could show "
                "it."
            ),
            _(
                "EU AI Act: Regulation (EU) 2024/1689. TFA: WTO Trade Facilitation "
                "Agreement. RKC: revised Kyoto Convention, General Annex."
            ),
        ),
        tables=(table,),
    )


def _describe_evidence(obligation: Obligation, inputs: CardInputs, texts: Texts) -> str:
    """Return what can be shown, and what the administration states besides."""
    _ = texts.gettext
    parts = [obligation.evidence(inputs, texts)]
    answer = inputs.answers.get(obligation.code)
    if answer is not None:
        parts.append(_("stated by the administration: %(text)s") % {"text": answer})
    return _join_parts(parts, texts) or texts.pgettext(
        "cell: what can be shown", "not provided"
    )


def check_answers(answers: Mapping[str, str] | None) -> dict[str, str]:
    """Return the answers of an administration by point; refuse unknown points."""
    known = [obligation.code for obligation in OBLIGATIONS]
    given = dict(answers or {})
    unknown = [name for name in given if name not in known]
    if unknown:
        raise ArgumentError(
            "pages.unknown_obligations",
            "ModelCard: 'answers' names {unknown}; known are {known}.{hint}",
            unknown=format_values(unknown),
            known=format_values(known, len(known)),
            hint=suggest_nearest(str(unknown[0]), known),
        )
    return {name: str(text) for name, text in given.items()}
