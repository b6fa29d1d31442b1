"""One place knows what an item is: keys, ids, joins, days of results, amounts."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from smartrisk import items, windows
from smartrisk.errors import ArgumentError, TableError
from smartrisk.features import join_results

#: The same three documents in every type that a reader of files may give them.
ID_TYPES = {
    "integers": pd.Series([101, 102, 103]),
    "floats": pd.Series([101.0, 102.0, 103.0]),
    "nullable": pd.Series([101, 102, 103], dtype="Int64"),
    "texts": pd.Series(["101", "102", "103"]),
    "objects": pd.Series(["101", "102", "103"], dtype=object),
    "object floats": pd.Series([101.0, 102.0, 103.0], dtype=object),
    "mixed": pd.Series(["101", 102, 103.0], dtype=object),
    "categories": pd.Series(["101", "102", "103"], dtype="category"),
    "arrow texts": pd.Series(["101", "102", "103"], dtype="string[pyarrow]"),
}


def table(*keys, **columns):
    names, numbers = zip(*keys, strict=True)
    frame = pd.DataFrame({"declaration_id": names, "item_number": numbers})
    return frame.assign(**columns)


# ------------------------------------------------------------------------ ids


@given(st.lists(st.integers(0, 2**64 - 1), min_size=1, max_size=20))
def test_one_number_is_mixed_as_an_array_of_numbers(values):
    mixed = items.mix(np.array(values, np.uint64))
    assert [items.mix_one(v) for v in values] == mixed.tolist()
    assert items.mix(np.uint64(values[0])) == mixed[0]  # an array of no axes too


def test_mixing_is_split_mix_as_published():
    # The first outputs of the reference implementation for the seed 1234567.
    state, outputs = 1234567, []
    for _ in range(3):
        outputs.append(items.mix_one(state))
        state += int(items.GOLDEN)
    assert outputs == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_an_item_without_a_number_is_number_one():
    frame = pd.DataFrame({"declaration_id": ["A", "B"]})
    assert np.array_equal(
        items.item_ids(frame), items.item_ids(frame.assign(item_number=1))
    )
    assert items.item_keys(frame)["item_number"].tolist() == [1, 1]
    assert "item_number" not in frame


def test_ids_are_the_same_for_every_type_of_text_and_on_every_machine():
    names = ["A-1", "é", "0042"]
    plain = items.item_ids(pd.DataFrame({"declaration_id": names}))
    for dtype in ("object", "string", "category"):
        series = pd.Series(names, dtype=dtype)
        frame = pd.DataFrame({"declaration_id": series})
        assert np.array_equal(items.item_ids(frame), plain)
    assert plain[0] == 17828103206701062819
    assert items.text_ids(["é", "A-1"])[1] == 6367845836784268617


def test_ids_of_many_items_are_distinct():
    names = [f"D{k}" for k in range(50_000)]
    frame = pd.DataFrame({"declaration_id": names * 4, "item_number": 1})
    frame["item_number"] = np.repeat([1, 2, 3, 4], 50_000)
    assert len(np.unique(items.item_ids(frame))) == 200_000


# ---------------------------------------------------------------------- joins


def test_positions_point_to_the_rows_of_the_table():
    left = table(("B", 1), ("A", 2), ("C", 1))
    right = table(("A", 1), ("A", 2), ("B", 1))
    assert items.positions_of(left, right).tolist() == [2, 1, -1]
    assert items.positions_of(items.item_ids(left), right).tolist() == [2, 1, -1]


def test_a_table_that_repeats_a_key_is_refused_and_named():
    twice = table(("A", 1), ("A", 1))
    with pytest.raises(TableError, match=r"evaluate: SCORES repeats .* 1 rows.*'A'"):
        items.positions_of(twice, twice, owner="evaluate", name="SCORES")
    with pytest.raises(TableError, match="repeats the key"):
        items.check_unique("evaluate", "SCORES", twice)
    items.check_unique("evaluate", "SCORES", table(("A", 1), ("A", 2)))


keys = st.lists(
    st.tuples(st.sampled_from("ABC"), st.integers(1, 3)), min_size=1, max_size=9
)


@given(keys, keys.map(lambda pairs: list(dict.fromkeys(pairs))))
def test_a_join_equals_the_merge_of_pandas(left, right):
    left = table(*left, risk=np.arange(len(left)) / 10)
    right = table(*right, illicit=np.arange(len(right)), late=True, text="x")
    for how in ("left", "inner"):
        joined = items.join_by_key(left, right, how=how)
        merged = left.merge(right, on=["declaration_id", "item_number"], how=how)
        pd.testing.assert_frame_equal(joined.reset_index(drop=True), merged)


def test_a_join_keeps_the_index_and_replaces_columns_that_are_named():
    left = table(("A", 1), ("B", 1), illicit=[8, 9]).set_axis([5, 3])
    right = table(("B", 1), ("A", 1), illicit=[1, 0], more=[2, 3])
    joined = items.join_by_key(left, right, ["illicit"])
    assert joined["illicit"].tolist() == [0, 1]
    assert joined.index.tolist() == [5, 3]
    assert "more" not in joined
    assert items.join_by_key(left, right)["illicit"].tolist() == [8, 9]
    with pytest.raises(ArgumentError, match="'how' must be one of 'left', 'inner'"):
        items.join_by_key(left, right, how="outer")


def test_a_table_may_repeat_keys_where_only_presence_is_asked():
    left = table(("A", 1), ("C", 1))
    assert items.are_among(left, table(("A", 1), ("A", 1))).tolist() == [True, False]


# --------------------------------------------------- when a result is known


def test_a_result_is_known_when_recorded_else_after_the_delay():
    lodged = np.array(["2024-03-01", "2024-03-01", "NaT"], "datetime64[us]")
    known_at = np.array(["2024-03-09T10:00", "NaT", "2024-05-01"], "datetime64[us]")
    moments = items.moments_known(lodged, known_at, 30)
    expected = ["2024-03-09T10:00", "2024-03-31", "2024-05-01"]
    assert np.array_equal(moments, np.array(expected, "datetime64[us]"))
    undated = items.moments_known(lodged, None, 30)
    assert np.array_equal(undated[:2], np.array(["2024-03-31"] * 2, moments.dtype))
    assert np.isnat(undated[2])


def test_a_result_dated_before_lodgement_is_lifted_to_it_everywhere():
    declarations = table(("A", 1), lodged_at=pd.to_datetime(["2024-03-01 10:00"]))
    outcomes = table(
        ("A", 1), illicit=[1], known_at=pd.to_datetime(["2024-01-05 08:00"])
    )
    moment = windows.known_at(outcomes, declarations).iloc[0]
    assert moment == pd.Timestamp("2024-03-01 10:00")
    day = join_results(declarations, outcomes).known[0]
    assert day == np.datetime64("2024-03-01")
    # Not known, and not lodged, before that moment.
    past, known = windows.as_of(declarations, outcomes, "2024-03-01 10:00")
    assert not len(past)
    assert not len(known)


# -------------------------------------------------------------------- amounts


def test_amounts_that_are_missing_or_refunds_are_zero():
    series = pd.Series([3.5, None, -2.0], dtype="Float64")
    for values in (series, series.astype("float64"), [3.5, float("nan"), -2.0]):
        assert items.clean_amounts(values).tolist() == [3.5, 0.0, 0.0]


# ------------------------------------------------------- ids of every type


@pytest.mark.parametrize("left", ID_TYPES)
@pytest.mark.parametrize("right", ID_TYPES)
def test_ids_match_whatever_their_type(left, right):
    ours = pd.DataFrame({"declaration_id": ID_TYPES[left]})
    theirs = pd.DataFrame({"declaration_id": ID_TYPES[right], "place": range(3)})
    joined = items.join_by_key(ours, theirs)
    assert joined["place"].tolist() == [0, 1, 2]


def test_whole_numbers_match_where_a_missing_value_made_them_floats():
    declarations = pd.DataFrame({"declaration_id": [101, 102, 103]})
    results = pd.DataFrame({"declaration_id": [102, 101, None], "illicit": [1, 0, 1]})
    assert results["declaration_id"].dtype == "float64"
    joined = items.join_by_key(declarations, results)["illicit"]
    assert joined.fillna(-1).tolist() == [0, 1, -1]


def test_an_id_with_a_fraction_is_refused():
    frame = pd.DataFrame({"declaration_id": [101.5, 102.0]})
    with pytest.raises(TableError, match=r"'declaration_id' holds 101\.5"):
        items.item_ids(frame)


@pytest.mark.parametrize("numbers", [[1, 1.5], [1, None], [1, "x"], [1, np.inf]])
def test_an_item_number_that_is_not_whole_is_refused(numbers):
    frame = pd.DataFrame({"declaration_id": ["A", "B"], "item_number": numbers})
    with pytest.raises(TableError, match="'item_number' is missing or not a whole"):
        items.item_ids(frame)


@pytest.mark.parametrize(
    "dtype", ["int64", "int8", "float64", "Int64", "Float64", "str"]
)
def test_item_numbers_match_whatever_their_type(dtype):
    frame = pd.DataFrame({"declaration_id": ["A", "A"], "item_number": [1, 2]})
    same = frame.astype({"item_number": dtype})
    assert items.item_ids(same).tolist() == items.item_ids(frame).tolist()


def test_a_table_without_ids_says_which_columns_it_has():
    with pytest.raises(TableError, match=r"'declaration_id' is absent; .* 'numero'"):
        items.item_ids(pd.DataFrame({"numero": ["A"]}))
