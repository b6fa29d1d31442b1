"""The figures of an evaluation as a section: on evaluation reports and model cards."""

from __future__ import annotations

from smartrisk.displays import Texts
from smartrisk.evaluation import Evaluation
from smartrisk.languages import N_
from smartrisk.pages._page import Section, Table

_MEASURES = ("precision", "recall", "revenue_share")
#: The templates of the messages of an evaluation, for the catalogues of pages.
_MESSAGES = (
    N_("No item has an outcome: there is nothing to judge by."),
    N_("All outcomes are equal: rankings cannot be compared."),
    N_("Few hits ({n_hits}): intervals are wide."),
    N_("No revenue_adjustment: revenue shares are not given."),
)


def make_metrics_section(evaluation: Evaluation | None, texts: Texts) -> Section:
    """Return the figures of an evaluation, with intervals."""
    _ = texts.gettext
    title = _("How well it finds")
    if evaluation is None:
        return Section(
            title=title, texts=(texts.pgettext("instead of a section", "not provided"),)
        )
    overall = evaluation.overall()
    return Section(
        title=title,
        texts=tuple(m.text(texts.gettext) for m in evaluation.messages),
        facts=(
            (_("items judged"), texts.number(overall["n_items"])),
            (_("without a result"), texts.number(overall["n_unlabelled"])),
            (_("base rate"), texts.rate(overall["base_rate"])),
            (_("area under the ROC curve"), texts.decimal(overall["roc_auc"])),
            (_("average precision"), texts.decimal(overall["average_precision"])),
            (_("Brier score"), texts.decimal(overall["brier"])),
            (_("calibration error"), texts.decimal(overall["calibration_error"])),
        ),
        tables=(_make_table(evaluation, texts),),
    )


def _make_table(evaluation: Evaluation, texts: Texts) -> Table:
    """Return the measures by inspection rate, with their intervals."""
    _ = texts.gettext
    n_items = evaluation.overall()["n_items"]
    rankings = {"risk_score": _("risk"), "expected_revenue": _("expected revenue")}
    rows = []
    for line in evaluation.frame().to_dict("records"):
        cells = [
            rankings.get(line["rank_by"], line["rank_by"]),
            texts.share(line, n_items),
            texts.number(line["n_inspected"]),
        ]
        for name in _MEASURES:
            bounds = line.get(f"{name}_low"), line.get(f"{name}_high")
            cells += [texts.rate(line.get(name)), texts.between(*bounds)]
        rows.append(tuple(cells))
    return Table(
        caption=_("By inspection rate, with 95 per cent intervals"),
        heads=(
            texts.pgettext("head: order of the items", "Ordered by"),
            texts.pgettext("head: share of the items", "Inspected"),
            _("Items"),
            _("Precision"),
            _("Interval"),
            _("Recall"),
            _("Interval"),
            _("Revenue share"),
            _("Interval"),
        ),
        rows=rows,
        numeric=frozenset(range(1, 9)),
    )
