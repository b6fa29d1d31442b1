"""What a history takes, replaces, corrects and takes out, next to one fitted afresh."""

from __future__ import annotations

import copy
import itertools
import pickle

import numpy as np
import pandas as pd
import pytest

from smartrisk.errors import TableError
from smartrisk.features import (
    DeclarationFeatures,
    Key,
    LearnedHistory,
    join_results,
    pack_history,
    unpack_history,
)
from smartrisk.items import are_among
from smartrisk.schema import DECLARATIONS, OUTCOMES
from smartrisk.validation import validate

N = 900
KEYS = (
    Key(("importer_id",)),
    Key(("hs4",)),
    Key(("importer_id", "hs4"), parent="importer_id"),
    Key(("consignor_id?", "net_mass_kg"), name="odd"),
)


def learn(items, outcomes):
    """Return a history of items and results."""
    return LearnedHistory.learn(
        DeclarationFeatures(KEYS, n_jobs=1),
        items,
        join_results(items, outcomes),
        label_delay=30,
    )


@pytest.fixture(scope="module")
def items(declarations):
    return declarations.tail(N).reset_index(drop=True)


@pytest.fixture(scope="module")
def results(items, outcomes):
    return outcomes[are_among(outcomes, items)].reset_index(drop=True)


@pytest.fixture(scope="module")
def whole(items, results):
    return learn(items, results)


@pytest.fixture(scope="module")
def half(items, results):
    early = items.head(N // 2)
    return learn(early, results[are_among(results, early)].head(20))


def parts_of(frame, seed):
    """Return a table in a random order and split."""
    rng = np.random.default_rng(seed)
    mixed = frame.sample(frac=1, random_state=seed)
    cuts = np.sort(rng.integers(0, len(mixed), 4))
    edges = [0, *cuts, len(mixed)]
    return [mixed.iloc[i:j] for i, j in itertools.pairwise(edges)]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_and_split_of_updates_leave_no_trace(
    half, whole, items, results, seed
):
    history = half
    for part in parts_of(items, seed):
        history, _ = history.add(part)
        if seed == 1:
            history.features.transform_matrix(items.head(3))  # merges in between
    for part in parts_of(results, seed):
        history, _ = history.add(None, part)
    assert history.digests() == whole.digests()
    found = history.features.transform_matrix(items)
    plain = [not f.categorical for f in whole.features.feature_info_]
    wanted = whole.features.transform_matrix(items)
    assert np.array_equal(found[:, plain], wanted[:, plain], equal_nan=True)
    assert len(history.items) == len(items)
    assert history.results.n_items == len(results)
    assert history.features.last_day_ == whole.features.last_day_


def test_items_that_come_one_by_one_equal_the_whole(items, results):
    early = items.head(N - 12)
    history = learn(early, results[are_among(results, early)])
    for number in range(N - 12, N):
        item = items.iloc[[number]]
        history, _ = history.add(item, results[are_among(results, item)])
    assert history.digests() == learn(items, results).digests()
    assert history.add(items)[1]["items"]["known"] == N


def test_a_history_that_is_not_merged_is_copied_and_pickled(
    half, whole, items, results
):
    history, _ = half.add(items, results)
    for copied in (pickle.loads(pickle.dumps(history)), copy.deepcopy(history)):
        assert copied.digests() == whole.digests()
        found = copied.features.transform_matrix(items.tail(9))
        wanted = history.features.transform_matrix(items.tail(9))
        assert np.array_equal(found, wanted, equal_nan=True)


def test_items_and_results_may_come_together(half, whole, items, results):
    history, counts = half.add(items, results)
    assert history.digests() == whole.digests()
    assert counts["items"]["known"] == N // 2
    assert counts["items"]["taken"] == N - N // 2
    assert counts["results"]["taken"] == len(results) - 20
    assert counts["results"]["known"] == 20
    again, counts = history.add(items, results)
    assert again.digests() == history.digests()
    assert counts["items"]["taken"] == counts["results"]["taken"] == 0


def test_late_results_need_no_declarations(half, items, results):
    early = items.head(N // 2)
    own = results[are_among(results, early)]
    history, counts = half.add(None, own)
    assert counts["results"]["taken"] == len(own) - 20
    assert history.digests() == learn(early, own).digests()


def test_results_without_a_date_are_known_after_the_delay(half, items, results):
    early = items.head(N // 2)
    own = results[are_among(results, early)].iloc[20:].drop(columns="known_at")
    history, _ = half.add(None, own)
    known = results[are_among(results, early)].head(20)
    wanted = learn(early, pd.concat([known, own]))
    assert history.digests() == wanted.digests()


# ------------------------------------------------------------------ known items


@pytest.fixture(scope="module")
def changed(items):
    """Return all items with other values in some fields of 24 of them."""
    other = items.copy()
    fields = {
        "customs_value": other["customs_value"] * 0.3,
        "importer_id": other["importer_id"].iloc[::-1].to_numpy(),
        "tariff_code": "010121",
        "duty_rate": 0.001,
        "consignor_id": None,
        "net_mass_kg": 7.5,
        "lodged_at": other["lodged_at"] - pd.Timedelta(days=9),
        "quantity": None,
    }
    for number, (name, values) in enumerate(fields.items()):
        rows = other.index[number * 31 :: N // 3]
        column = pd.Series(values, index=other.index)
        other[name] = other[name].where(~other.index.isin(rows), column)
    return validate(other, DECLARATIONS)


def test_replaced_items_leave_no_trace(items, results, changed):
    dated = results.assign(known_at=items["lodged_at"].max() + pd.Timedelta(days=3))
    base = learn(items, dated)
    history = unpack_history(*pack_history(base))
    history, counts = history.add(changed, on_known="replace")
    assert counts["items"]["replaced"] == 24
    assert counts["items"]["known"] == N - 24
    assert history.digests() == learn(changed, dated).digests()
    assert history.digests() != base.digests()
    back, _ = history.add(items, on_known="replace")
    assert back.digests() == base.digests()
    assert back.features.last_day_ == base.features.last_day_


def test_results_of_an_item_are_dated_by_its_last_lodgement(items):
    moved = items.copy()
    moved.loc[[300, 400, 500], "lodged_at"] += pd.to_timedelta([20, 20, -20], "D")
    moved = validate(moved, DECLARATIONS)
    dated = items.loc[[300, 400, 500], ["declaration_id", "item_number"]].assign(
        # Between both days of lodgement; not recorded; after both.
        known_at=[items["lodged_at"][300] + pd.Timedelta(days=8), None, None],
        illicit=1,
        revenue_adjustment=10.0,
    )
    dated = validate(dated, OUTCOMES)
    base = learn(items, dated)
    history = unpack_history(*pack_history(base))
    history, _ = history.add(moved, on_known="replace")
    assert history.digests() == learn(moved, dated).digests() != base.digests()
    back, _ = history.add(items, on_known="replace")
    assert back.digests() == base.digests()


def test_of_versions_that_count_from_one_day_the_last_stated_counts(items):
    item = items.iloc[[450]][["declaration_id", "item_number"]]
    days = items["lodged_at"][450] - pd.to_timedelta([4, 2], "D")
    early, late = (
        validate(item.assign(known_at=day, illicit=hit), OUTCOMES)
        for day, hit in zip(days, (0, 1), strict=True)
    )
    wanted = learn(items, late).digests()
    for first, second in ((early, late), (late, early)):
        history, counts = learn(items, first).add(None, second)
        assert counts["results"]["corrected"] == 1
        assert history.digests() == wanted
        assert history.results.n_items == 1


def test_a_correction_counts_though_the_first_finding_has_no_date(items):
    item = items.iloc[[450]][["declaration_id", "item_number"]]
    undated = validate(item.assign(known_at=pd.NaT, illicit=1), OUTCOMES)
    at = items["lodged_at"][450] + pd.Timedelta(days=10)
    dated = validate(item.assign(known_at=at, illicit=0), OUTCOMES)
    wanted = learn(items, dated).digests()
    for first, second in ((undated, dated), (dated, undated)):
        history, _ = learn(items, first).add(None, second)
        assert history.digests() == wanted


def test_known_items_with_other_content_are_refused_or_kept(whole, changed):
    message = r"24 items are in the history with other content.*on_known='replace'"
    with pytest.raises(TableError, match=message) as caught:
        whole.add(changed, owner="demo")
    assert str(caught.value).count("'") < 20  # five examples
    kept, counts = whole.add(changed, on_known="keep")
    assert counts["items"]["kept"] == 24
    assert kept.digests() == whole.digests()


def test_fields_that_decide_no_feature_may_change(whole, items):
    more = items.assign(description="other", dq_missing_importer=True)
    _, counts = whole.add(more)
    assert counts["items"]["known"] == N


# ------------------------------------------------------------ versions of results


@pytest.fixture(scope="module")
def corrections(results, items):
    """Return results, and two later tables that correct some of them."""
    at = items["lodged_at"].max().normalize()
    first = results.assign(
        known_at=at + pd.to_timedelta(np.arange(len(results)) % 5, "D")
    )
    second = first.iloc[::2].assign(known_at=at + pd.Timedelta(days=10))
    second["illicit"] = 1 - second["illicit"]
    third = first.iloc[::4].assign(
        known_at=at + pd.Timedelta(days=20), revenue_adjustment=5000.0, illicit=1
    )
    return [validate(table, OUTCOMES) for table in (first, second, third)], at


def in_force(tables, at, day):
    """Return the versions known before a day, dated by their first version."""
    early = [t[t["known_at"] < at + pd.Timedelta(days=day)] for t in tables]
    every = pd.concat(early)
    key = ["declaration_id", "item_number"]
    last = every.sort_values("known_at", kind="stable").drop_duplicates(
        key, keep="last"
    )
    first = every.groupby(key)["known_at"].min()
    return last.set_index(key).assign(known_at=first).reset_index()


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=str)
def test_on_every_day_the_version_known_last_before_it_counts(
    items, corrections, order
):
    tables, at = corrections
    history = learn(items, tables[0].head(0))
    for number in order:
        history, _ = history.add(None, tables[number])
    for day in (3, 9, 11, 12, 21, 40):
        probe = items.tail(200).assign(lodged_at=at + pd.Timedelta(days=day, hours=9))
        wanted = learn(items, in_force(tables, at, day))
        assert np.array_equal(
            history.features.transform_matrix(probe),
            wanted.features.transform_matrix(probe),
            equal_nan=True,
        )
    assert history.results.n_items == len(tables[0])


def test_the_order_in_which_versions_come_leaves_no_trace(items, corrections):
    tables, _ = corrections
    found = set()
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        history = learn(items, tables[order[0]])
        counts = {}
        for number in order[1:]:
            history, step = history.add(None, tables[number])
            counts = {k: counts.get(k, 0) + v for k, v in step["results"].items()}
        found.add(tuple(history.digests().items()))
        if order == (0, 1, 2):
            assert counts["corrected"] == len(tables[1]) + len(tables[2])
            assert counts["taken"] == 0
    assert len(found) == 1


def test_a_window_never_holds_a_rate_outside_its_bounds(items, corrections):
    tables, at = corrections
    history = learn(items, tables[0])
    late = tables[1].assign(known_at=at + pd.Timedelta(days=250))
    history, _ = history.add(None, late)
    probe = items.assign(lodged_at=at + pd.Timedelta(days=260))
    frame = pd.DataFrame(
        history.features.transform_matrix(probe),
        columns=history.features.get_feature_names_out(),
    )
    rates = frame[[name for name in frame if "hit_rate" in name]]
    assert rates.min(axis=None) >= 0
    assert rates.max(axis=None) <= 1
    one = history.features.transform_one(probe.iloc[5].to_dict())
    assert np.array_equal(one[0], frame.iloc[5].to_numpy(np.float32), equal_nan=True)


def test_two_results_of_one_day_are_refused_replaced_or_kept(items, corrections):
    tables, _ = corrections
    history = learn(items, tables[0])
    other = tables[0].head(7).assign(illicit=lambda t: 1 - t["illicit"])
    message = r"7 results are in the history with other content"
    with pytest.raises(TableError, match=message):
        history.add(None, other)
    kept, counts = history.add(None, other, on_known="keep")
    assert counts["results"]["kept"] == 7
    assert kept.digests() == history.digests()
    new, counts = history.add(None, other, on_known="replace")
    assert counts["results"]["replaced"] == 7
    wanted = learn(items, pd.concat([other, tables[0].iloc[7:]]))
    assert new.digests() == wanted.digests() != history.digests()


def test_the_same_result_of_a_later_day_changes_no_sum(items, corrections):
    tables, at = corrections
    history = learn(items, tables[0])
    later = tables[0].assign(known_at=at + pd.Timedelta(days=15))
    again, counts = history.add(None, later)
    assert counts["results"]["known"] == len(later)
    assert again.digests() == history.digests()
    # It is a version all the same: an earlier correction that comes later ends there.
    ended, _ = again.add(None, tables[1])
    probe = items.assign(lodged_at=at + pd.Timedelta(days=30))
    assert np.array_equal(
        ended.features.transform_matrix(probe),
        history.features.transform_matrix(probe),
        equal_nan=True,
    )


def test_results_of_items_that_nobody_knows_are_counted_and_named(half, results, items):
    lost = results[are_among(results, items.tail(N // 2))]
    message = (
        rf"demo: {len(lost)} results have no item in DECLARATIONS or in the history"
    )
    with pytest.raises(TableError, match=message):
        half.add(None, lost, owner="demo")


# ----------------------------------------------------------------------- traders


@pytest.mark.parametrize("field", ["importer_id", "consignor_id"])
def test_a_trader_who_is_erased_leaves_the_sums_that_name_him(
    whole, items, results, field
):
    counted = items[field].value_counts()
    names = [str(name) for name in counted.index[:3]]
    own = items[field].isin(names)
    erased, counts = whole.without_traders(field, names)
    masked = items.assign(**{field: items[field].where(~own)})
    wanted = learn(masked, results).digests()
    found = erased.digests()
    # A missing consignor is a value of one key; an erased one is none at all.
    odd = {name for name in wanted if name.endswith(".odd")}
    assert {n: d for n, d in found.items() if n not in odd} == {
        n: d for n, d in wanted.items() if n not in odd
    }
    if field == "consignor_id":
        rest = learn(items[~own], results[are_among(results, items[~own])]).digests()
        assert all(found[name] == rest[name] for name in odd)
    assert counts["items"]["erased"] == own.sum()
    assert counts["entries"]["erased"] > own.sum()
    # Whoever sends the items again does not bring the name back.
    again, counts = erased.add(items, on_known="replace")
    assert counts["items"]["erased"] == own.sum()
    assert again.digests() == found
    none, counts = erased.without_traders(field, names)
    assert counts["items"]["erased"] == counts["entries"]["erased"] == 0
    assert none.digests() == found


def test_results_of_erased_items_are_corrected_where_nobody_is_named(
    whole, items, results
):
    name = str(items["consignor_id"].value_counts().index[0])
    own = results[are_among(results, items[items["consignor_id"] == name])]
    other = own.assign(illicit=1 - own["illicit"])
    erased, _ = whole.without_traders("consignor_id", [name])
    left, _ = erased.add(None, other, on_known="replace")
    right, _ = whole.add(None, other, on_known="replace")
    right, _ = right.without_traders("consignor_id", [name])
    assert left.digests() == right.digests() != erased.digests()


def test_both_traders_of_an_item_can_be_erased(whole, items):
    row = items.iloc[100]
    importer, consignor = str(row["importer_id"]), str(row["consignor_id"])
    left, _ = whole.without_traders("importer_id", [importer])
    left, _ = left.without_traders("consignor_id", [consignor])
    right, _ = whole.without_traders("consignor_id", [consignor])
    right, _ = right.without_traders("importer_id", [importer])
    assert left.digests() == right.digests()


# --------------------------------------------------------------------- registers


def test_registers_hold_numbers_only_and_come_back_as_they_were(half, items, results):
    history = half
    for part in parts_of(items, 5):
        history, _ = history.add(part)
    learned, tables = pack_history(history)
    for table in tables.values():
        assert all(values.dtype.kind in "iuf" for values in table.values())
    again = unpack_history(learned, tables)
    assert again.digests() == history.digests()
    left, _ = history.add(None, results)
    right, _ = again.add(None, results)
    assert left.digests() == right.digests()
    assert again.add(items)[1]["items"]["known"] == N


def test_a_small_update_copies_no_large_block(whole, items):
    history = whole
    for number in range(20):
        new = items.tail(7).assign(declaration_id=f"NEW{number}", item_number=range(7))
        history, _ = history.add(new)
        assert history.items.blocks[0] is whole.items.blocks[0]
        assert len(history.items.blocks) < 7
    assert len(history.items) == N + 140
