"""What agreements and law ask of targeting, beside what the library can show.

Sources: Regulation (EU) 2024/1689, articles 9 to 15; WTO Trade Facilitation Agreement,
article 7.4; revised Kyoto Convention, General Annex, chapter 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

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


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What was handed to a model card; None where it was not."""

    version: str
    fields: tuple[str, ...]
    intended_use: str | None
    oversight: str | None
    evaluation: Evaluation | None
    segments: Segments | None
    data: DataCard | None
    decisions: pd.DataFrame | None
    ledger: Verification | None
    drift: Drift | None
    answers: Mapping[str, str]


Evidence = Callable[[Shown, Texts], str]

_AI, _TFA, _RKC = "EU AI Act", "TFA", "RKC"


def _joined(parts: Sequence[str], texts: Texts) -> str:
    """Join texts with the semicolon of the language; empty ones are left out."""
    said = ""
    for part in filter(None, parts):
        said = texts.words.text("list.also", first=said, more=part) if said else part
    return said


def gaps_said(segments: Segments, texts: Texts) -> str:
    """Say the widest gaps of selection between segments."""
    _ = texts.gettext
    table = segments.gaps()
    rows = table[table["measure"] == "selection_rate"]
    said = [
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
    return _joined(said, texts)


def _measured(shown: Shown, texts: Texts) -> str:
    """Say precision and recall at the middle inspection rate."""
    if shown.evaluation is None:
        return ""
    _ = texts.gettext
    table = shown.evaluation.frame()
    table = table[table["rank_by"] == "risk_score"]
    n_items = shown.evaluation.overall()["n_items"]
    shares = table["n_inspected"] / max(n_items, 1.0)
    line = table.iloc[(shares - 0.05).abs().argmin()]
    return _(
        "inspecting %(rate)s finds irregularities in %(precision)s of the inspected "
        "(%(between)s) and reaches %(recall)s of all"
    ) % {
        "rate": texts.share(line, n_items),
        "precision": texts.rate(line["precision"]),
        "between": texts.between(line.get("precision_low"), line.get("precision_high")),
        "recall": texts.rate(line["recall"]),
    }


def _accuracy(shown: Shown, texts: Texts) -> str:
    if shown.evaluation is None:
        return ""
    _ = texts.gettext
    error = texts.decimal(shown.evaluation.overall()["calibration_error"])
    said = _("calibration error %(error)s; saved models carry checksums")
    return _joined([_measured(shown, texts), said % {"error": error}], texts)


def _governed(shown: Shown, texts: Texts) -> str:
    if shown.data is None:
        return ""
    _ = texts.gettext
    facts = shown.data.facts
    return _(
        "data card: %(n)s items, results for %(share)s of them, how the inspected "
        "differ from the others"
    ) % {
        "n": texts.number(facts["n_items"]),
        "share": texts.rate(facts["inspected_share"]),
    }


def _documented(shown: Shown, texts: Texts) -> str:
    return texts.gettext("this card; parameters and model version %(version)s") % {
        "version": shown.version
    }


def _logged(shown: Shown, texts: Texts) -> str:
    if shown.ledger is None:
        return ""
    _ = texts.gettext
    whole = _("chain whole") if shown.ledger.ok else _("chain broken")
    return _("ledger with %(n)s entries, %(whole)s") % {
        "n": texts.number(shown.ledger.n_entries),
        "whole": whole,
    }


def _explained(shown: Shown, texts: Texts) -> str:
    return texts.gettext(
        "every score comes with additive reasons, their evidence, suggested checks and "
        "a calibrated statement of strength"
    )


def _overseen(shown: Shown, texts: Texts) -> str:
    return shown.oversight or ""


def _gaps(shown: Shown, texts: Texts) -> str:
    if shown.segments is None:
        return ""
    said = gaps_said(shown.segments, texts)
    return texts.gettext("selection rates compared: %(gaps)s") % {"gaps": said or "–"}


def _shares(shown: Shown, texts: Texts) -> tuple[float, float] | None:
    if shown.decisions is None or not len(shown.decisions):
        return None
    taken = shown.decisions["channel"] != "green"
    by_chance = taken & False
    if "selected_by" in shown.decisions:
        by_chance = taken & (shown.decisions["selected_by"] == "random").fillna(False)
    return float(taken.mean()), float(by_chance.sum() / max(taken.sum(), 1))


def _concentrated(shown: Shown, texts: Texts) -> str:
    shares = _shares(shown, texts)
    if shares is None:
        return _measured(shown, texts)
    _ = texts.gettext
    return _(
        "%(green)s of the items released; %(random)s of the controls at random"
    ) % {
        "green": texts.fine(1.0 - shares[0]),
        "random": texts.rate(shares[1]),
    }


def _criteria(shown: Shown, texts: Texts) -> str:
    names = [n for n in DECLARATIONS.names if n in shown.fields]
    said = texts.words.listed([texts.words.field(name) for name in names])
    return texts.gettext("declared fields that the model reads: %(fields)s") % {
        "fields": said
    }


def _necessary(shown: Shown, texts: Texts) -> str:
    shares = _shares(shown, texts)
    if shares is None:
        return ""
    return texts.gettext(
        "%(share)s of the items controlled, within a fixed capacity"
    ) % {"share": texts.fine(shares[0])}


def _analysed(shown: Shown, texts: Texts) -> str:
    return texts.gettext("a calibrated risk score and expected revenue per item")


def _compliance(shown: Shown, texts: Texts) -> str:
    shares = _shares(shown, texts)
    if shares is None or not shares[1]:
        return ""
    return texts.gettext(
        "%(random)s of the controls at random, with their propensity: the compliance "
        "of the whole flow can be estimated"
    ) % {"random": texts.rate(shares[1])}


def _watched(shown: Shown, texts: Texts) -> str:
    if shown.drift is None:
        return ""
    table = shown.drift.frame()
    moved = int((table["shift"] != "stable").sum())
    return texts.gettext(
        "declared fields compared with the reference: %(moved)s of %(all)s moved"
    ) % {"moved": texts.number(moved), "all": texts.number(len(table))}


def _covered(shown: Shown, texts: Texts) -> str:
    if shown.decisions is None or not len(shown.decisions):
        return ""
    return texts.gettext("each of %(n)s items was scored and given a channel") % {
        "n": texts.number(len(shown.decisions))
    }


def _nothing(shown: Shown, texts: Texts) -> str:
    return ""


_DUTIES: tuple[tuple[str, str, str, Evidence], ...] = (
    (_AI, "9", N_("risk management over the life of the system"), _watched),
    (
        _AI,
        "10",
        N_("data governance: origin, suitability, bias of the data"),
        _governed,
    ),
    (_AI, "11", N_("technical documentation"), _documented),
    (_AI, "12", N_("automatic records of events"), _logged),
    (_AI, "13", N_("transparency towards those who use it"), _explained),
    (_AI, "14", N_("human oversight"), _overseen),
    (_AI, "15", N_("accuracy, robustness, cybersecurity"), _accuracy),
    (_TFA, "7.4.1", N_("a risk management system for customs control"), _nothing),
    (_TFA, "7.4.2", N_("no arbitrary or unjustifiable discrimination"), _gaps),
    (
        _TFA,
        "7.4.3",
        N_(
            "control concentrates on high risk, low risk is released; chance may select"
        ),
        _concentrated,
    ),
    (_TFA, "7.4.4", N_("appropriate selectivity criteria"), _criteria),
    (_RKC, "6.1", N_("all goods are subject to control"), _covered),
    (_RKC, "6.2", N_("control limited to what compliance requires"), _necessary),
    (_RKC, "6.3", N_("control uses risk management"), _concentrated),
    (_RKC, "6.4", N_("risk analysis decides what is examined, and how far"), _analysed),
    (_RKC, "6.5", N_("a strategy to measure compliance"), _compliance),
    (_RKC, "6.6", N_("audit-based controls"), _nothing),
    (_RKC, "6.7", N_("co-operation with other administrations"), _nothing),
    (_RKC, "6.8", N_("co-operation with the trade"), _nothing),
    (_RKC, "6.9", N_("information technology supports control"), _documented),
    (_RKC, "6.10", N_("evaluation of traders' commercial systems"), _nothing),
)


def duties(shown: Shown, texts: Texts) -> Section:
    """Return the table of duties, each with what can be shown or "not provided"."""
    _ = texts.gettext
    rows = [
        (f"{source} {code}", _(duty), _said(f"{source} {code}", evidence, shown, texts))
        for source, code, duty, evidence in _DUTIES
    ]
    table = Table(
        caption=_("Point by point"),
        heads=(_("Source"), _("What it asks, in short"), _("What can be shown")),
        rows=rows,
        texts=frozenset((1, 2)),
    )
    return Section(
        title=_("What agreements and law ask"),
        texts=(
            _(
                "This is no claim of compliance. Whether a duty applies, and whether "
                "it is met, is for the administration to say. “Not provided” means "
                "that nothing was handed to this card that could show it."
            ),
            _(
                "EU AI Act: Regulation (EU) 2024/1689. TFA: WTO Trade Facilitation "
                "Agreement. RKC: revised Kyoto Convention, General Annex."
            ),
        ),
        tables=(table,),
    )


def _said(code: str, evidence: Evidence, shown: Shown, texts: Texts) -> str:
    """Return what can be shown, and what the administration says besides."""
    _ = texts.gettext
    found = [evidence(shown, texts)]
    if code in shown.answers:
        stated = {"text": shown.answers[code]}
        found.append(_("stated by the administration: %(text)s") % stated)
    return _joined(found, texts) or _("not provided")


def checked_answers(answers: Any) -> dict[str, str]:
    """Return what the administration says by point, once it is in order."""
    known = [f"{source} {code}" for source, code, _, _ in _DUTIES]
    given = dict(answers or {})
    odd = [name for name in given if name not in known]
    if odd:
        raise ArgumentError(
            "pages.answers_names_known",
            "ModelCard: 'answers' names {odd}; known are {known}.{hint}",
            odd=format_values(odd),
            known=format_values(known, len(known)),
            hint=suggest_nearest(str(odd[0]), known),
        )
    return {name: str(text) for name, text in given.items()}
