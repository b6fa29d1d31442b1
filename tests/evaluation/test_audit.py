"""The audit flags sets that are too easy or untrue, and passes synthetic worlds."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from smartrisk.datasets import load_kcs, make_declarations
from smartrisk.errors import ArgumentError, TableError
from smartrisk.evaluation import audit, best_look_up, precision_at


@pytest.fixture(scope="module")
def made():
    return make_declarations(12_000, random_state=7)


@pytest.fixture(scope="module")
def labelled(made):
    """Return a world where every item was inspected."""
    return made.declarations, made.full_outcomes()


@pytest.mark.slow
@pytest.mark.parametrize("scenario", ["national", "small", "scarce"])
@pytest.mark.parametrize("seed", [0, 1])
def test_synthetic_worlds_pass(scenario, seed):
    world = make_declarations(20_000, random_state=seed, scenario=scenario)
    assert audit(world.declarations, world.outcomes).alarms == []


def test_repeated_goods_lines_are_flagged(made):
    items = made.declarations.copy()
    lines = items[["tariff_code", "origin", "duty_rate", "net_mass_kg"]].head(400)
    chosen = np.random.default_rng(0).integers(0, 400, len(items))
    items[list(lines)] = lines.iloc[chosen].to_numpy()
    items = items.assign(departure="CN", preference="100").infer_objects()
    truth = made.full_outcomes().assign(illicit=(chosen % 5 == 0).astype(int))
    truth["known_at"] = items["lodged_at"]
    found = audit(items, truth)
    assert {"repeated lines", "look-up"} <= set(found.alarms)
    assert found.frame().set_index("check").loc["repeated lines", "figure"] > 0.95


def test_any_column_that_reveals_the_label_is_found(made, labelled):
    items, truth = labelled
    revealing = items.assign(carrier_id=np.where(truth["illicit"] == 1, "C1", "C2"))
    table = revealing.merge(truth[["declaration_id", "item_number", "illicit"]])
    assert best_look_up(table)[0] == "carrier_id"
    assert "look-up" in audit(revealing, truth).alarms


@pytest.mark.slow
def test_identifiers_in_the_order_of_labels_are_flagged(labelled):
    items, truth = labelled
    order = np.lexsort((np.arange(len(items)), truth["illicit"]))
    names = pd.Series(index=items.index, dtype=object)
    names.iloc[order] = [f"D{k:07d}" for k in range(len(items))]
    renamed = items.assign(declaration_id=names.astype("str"), item_number=1)
    results = truth.assign(declaration_id=renamed["declaration_id"], item_number=1)
    assert "identifiers" in audit(renamed, results).alarms


def test_values_that_the_control_wrote_are_flagged(labelled):
    items, truth = labelled
    over = truth.assign(assessed_value=items["customs_value"].to_numpy())
    assert "values" in audit(items, over).alarms
    rounded = items.assign(
        customs_value=np.where(
            truth["illicit"] == 1,
            items["customs_value"].round(),
            items["customs_value"],
        )
    )
    assert "values" in audit(rounded, truth).alarms


def test_dates_without_weekdays_are_flagged(labelled):
    items, truth = labelled
    days = np.sort(np.random.default_rng(0).integers(0, 700, len(items)))
    pasted = items.assign(
        lodged_at=pd.Timestamp("2023-01-01") + pd.to_timedelta(days, unit="D")
    )
    assert "dates" in audit(pasted, truth).alarms


def test_a_month_without_results_and_contradictions_are_flagged(labelled):
    items, truth = labelled
    month = items["lodged_at"].dt.to_period("M")
    dark = truth[(month != month.unique()[3]).to_numpy()]
    assert "truncation" in audit(items, dark).alarms
    odd = truth.assign(revenue_adjustment=100.0)
    assert "contradictions" in audit(items, odd).alarms


@pytest.mark.slow
def test_too_few_results_are_refused_with_what_is_needed(made):
    with pytest.raises(TableError, match="at least 50"):
        audit(made.declarations, made.outcomes.head(20))


def test_repeated_keys_are_refused(made):
    items, results = made.declarations, made.outcomes
    with pytest.raises(TableError, match=r"DECLARATIONS repeats .* of 3 rows"):
        audit(pd.concat([items, items.head(3)]), results)
    with pytest.raises(TableError, match=r"OUTCOMES repeats .* of 2 rows"):
        audit(items, pd.concat([results, results.head(2)]))


def test_later_tables_are_given_together(made):
    items, results = made.declarations, made.outcomes
    with pytest.raises(ArgumentError, match="'later_outcomes' together"):
        audit(items, results, later_declarations=items)


def test_findings_are_messages_with_values(made):
    result = audit(made.declarations, made.outcomes)
    frame = result.frame()
    messages = [finding.message for finding in result.findings]
    assert frame["message_id"].tolist() == [m.message_id for m in messages]
    assert frame["finding"].tolist() == [str(m) for m in messages]
    truncation = messages[5]
    assert truncation.values["n_months"] == 0
    french = truncation.text({truncation.template: "{n_months} mois"}.get)
    assert french == "0 mois"


def test_an_audit_has_a_short_repr_and_readable_findings(made):
    found = audit(made.declarations, made.outcomes)
    assert repr(found) == "Audit(7 checks, alarms: none)"
    assert "repeated lines" in found._repr_html_()
    assert found.frame()["finding"].str.len().between(10, 250).all()


def test_the_korean_set_is_flagged_by_itself(kcs_path):
    past, later = (load_kcs(kcs_path, part=part) for part in ("train", "valid"))
    found = audit(
        past.declarations,
        past.outcomes,
        later_declarations=later.declarations,
        later_outcomes=later.outcomes,
    )
    assert found.alarms == ["repeated lines", "look-up"]
    figures = found.frame().set_index("check")["figure"]
    assert figures["repeated lines"] > 0.98
    chance = later.outcomes["illicit"].to_numpy(float)
    assert precision_at(chance, np.zeros(len(chance)), 0.05) < 0.25
