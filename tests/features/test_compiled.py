"""Compiled loops: the same bits as numpy, wherever they are used."""

import os
import subprocess
import sys

import numpy as np
import pytest

from smartrisk.datasets import make_declarations
from smartrisk.features import (
    DeclarationFeatures,
    EntityHistory,
    Key,
    PeerPrices,
    _compiled,
    _kernels,
    _pasts,
)
from smartrisk.features._columns import Columns
from smartrisk.features._sorted_items import sort_by_key

NEVER = 10**12
#: A parent that the key does not determine, windows, a decay, and missing values.
KEYS = (
    Key(("importer_id",)),
    Key(("hs4",), statistics=("n_items", "n_items__30d", "hit_rate__90d")),
    Key(("hs6", "origin"), parent="hs4", statistics=("hits", "revenue_rate")),
    Key(("origin", "preference"), parent="importer_id", statistics=("hit_rate",)),
    Key(("consignor_id",), statistics=("days_since_last", "days_since_first")),
)


@pytest.fixture(scope="module")
def world():
    made = make_declarations(n_items=2_600, random_state=3)
    items = made.declarations.copy()
    items.loc[items.index[::7], "origin"] = None
    items.loc[items.index[::11], "net_mass_kg"] = np.nan
    return items, made.outcomes


@pytest.fixture(params=["compiled", "python"])
def kernels(request, monkeypatch):
    """The loops as numba compiles them, and as Python runs them."""
    if request.param == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(_compiled, "ENOUGH", 0)
        assert _compiled.kernels_for(1) is not None
        return
    plain = _compiled.Kernels(
        **{name: getattr(_kernels, name) for name in _compiled.Kernels._fields}
    )
    monkeypatch.setattr(_compiled, "ENOUGH", 0)
    monkeypatch.setattr(_compiled._State, "kernels", plain)


def of_numpy(monkeypatch, function):
    """Return what a function gives without compiled loops."""
    with monkeypatch.context() as patch:
        patch.setattr(_compiled, "ENOUGH", NEVER)
        return function()


def shuffled(items):
    return items.sample(frac=1.0, random_state=1)


@pytest.mark.parametrize("arrange", [lambda items: items, shuffled])
@pytest.mark.parametrize(
    "make",
    [
        lambda: DeclarationFeatures(),
        lambda: EntityHistory(KEYS, n_jobs=1),
        lambda: PeerPrices(n_jobs=1),
    ],
)
def test_compiled_features_equal_those_of_numpy_bit_for_bit(
    world, kernels, monkeypatch, make, arrange
):
    items, outcomes = world
    items = arrange(items)

    def every():
        transformer = make()
        together = transformer.fit_transform(items, outcomes=outcomes)
        apart = make().fit(items, outcomes=outcomes)
        later = apart.transform(items.tail(2_200))
        tables = [
            (name, table.ids, table.packed, table.starts, *table.totals.values())
            for name, table in apart.blocks().items()
        ]
        return together, later, tables

    together, later, tables = every()
    expected, expected_later, expected_tables = of_numpy(monkeypatch, every)
    assert together.tobytes() == expected.tobytes()
    assert later.tobytes() == expected_later.tobytes()
    for ours, theirs in zip(tables, expected_tables, strict=True):
        assert ours[0] == theirs[0]
        for left, right in zip(ours[1:], theirs[1:], strict=True):
            assert np.array_equal(left, right), ours[0]


def test_features_do_not_depend_on_the_size_of_blocks(world, kernels, monkeypatch):
    def every():
        return DeclarationFeatures(n_jobs=1).fit_transform(world[0], outcomes=world[1])

    monkeypatch.setattr(_pasts, "BLOCK", 2_600)
    together = every()
    monkeypatch.setattr(_pasts, "BLOCK", 700)
    assert every().tobytes() == together.tobytes()


def test_compiled_features_of_all_items_equal_those_of_one(world, kernels):
    items, outcomes = world
    features = DeclarationFeatures().fit(items, outcomes=outcomes)
    matrix = DeclarationFeatures().fit_transform(items, outcomes=outcomes)
    for row in (0, 7, 1_234, 2_599):
        one = features.transform_one(items.iloc[row].to_dict())
        assert one.tobytes() == np.ascontiguousarray(matrix[row]).tobytes()


def test_squares_of_prices_do_not_overflow_32_bits(kernels):
    items = make_declarations(n_items=2_500, random_state=0).declarations
    items = items.assign(customs_value=1e300, net_mass_kg=1e-3)
    prices = PeerPrices((Key(("hs2",)),)).fit(items)
    total = prices.tables_[0].totals["price_per_kg:q"]
    assert total[-1] == 2_500 * (400 * 4096) ** 2


def test_sorting_by_counting_gives_the_entries_of_sorting(world, kernels, monkeypatch):
    columns = Columns(shuffled(world[0]))
    for key in (("importer_id",), ("hs6", "origin"), ("origin", "hs6"), ()):
        ours = sort_by_key(columns, key)
        theirs = of_numpy(monkeypatch, lambda key=key: sort_by_key(columns, key))
        assert np.array_equal(ours.ids, theirs.ids)
        assert np.array_equal(ours.entries, theirs.entries)
        assert np.array_equal(ours.entry, theirs.entry)
        assert np.array_equal(ours.counted, theirs.counted)


def test_few_items_use_numpy(monkeypatch):
    ready = _compiled.Kernels(*[len] * len(_compiled.Kernels._fields))
    monkeypatch.setattr(_compiled._State, "kernels", ready)
    assert _compiled.kernels_for(_compiled.ENOUGH) is ready
    assert _compiled.kernels_for(_compiled.ENOUGH - 1) is None


def test_the_switch_leaves_loops_to_numpy(monkeypatch):
    monkeypatch.setattr(_compiled, "ENOUGH", 0)
    monkeypatch.setenv(_compiled.SWITCH, "0")
    assert _compiled.kernels_for(1) is None


def test_without_numba_or_with_one_for_another_numpy_numpy_computes(monkeypatch):
    monkeypatch.setattr(_compiled, "ENOUGH", 0)
    monkeypatch.setattr(_compiled._State, "kernels", None)
    monkeypatch.setitem(sys.modules, "numba", None)  # importing it is an ImportError
    assert _compiled.kernels_for(1) is None
    assert _compiled._State.kernels is False


def test_a_forked_child_does_not_wait_for_a_compiler(monkeypatch):
    monkeypatch.setattr(_compiled, "ENOUGH", 0)
    monkeypatch.setattr(_compiled._State, "kernels", None)
    monkeypatch.setattr(_compiled, "is_forked_child", lambda: True)
    assert _compiled.kernels_for(1) is None
    assert _compiled._State.kernels is None


def test_loops_compile_where_no_folder_can_hold_the_cache():
    calls = []

    class Numba:
        """Refuses to cache, as numba does without a folder it may write."""

        @staticmethod
        def njit(types, *, cache=False, **options):
            calls.append(cache)
            if cache:
                raise RuntimeError("cannot cache function: no locator available")
            return lambda function: function

    assert _compiled._compile(Numba, len, None) is len
    assert calls == [True, False]


@pytest.mark.slow
def test_features_of_few_items_load_no_compiler():
    code = (
        "import sys; from smartrisk.datasets import make_declarations;"
        "from smartrisk.features import DeclarationFeatures;"
        "items = make_declarations(n_items=500, random_state=0).declarations;"
        "DeclarationFeatures().fit_transform(items);"
        "sys.exit('numba' in sys.modules)"
    )
    environment = dict(os.environ, OMP_WAIT_POLICY="PASSIVE")
    done = subprocess.run([sys.executable, "-c", code], check=False, env=environment)
    assert done.returncode == 0
