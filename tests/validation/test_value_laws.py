"""The law of values: what is written in one format is read as it was, or refused."""

from __future__ import annotations

import datetime as dt
import importlib.util
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smartrisk.schema import DECLARATIONS
from smartrisk.validation import check, validate

FEW = settings(
    max_examples=40,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)


def load_benchmark():
    """Return the module that writes values and reads them back."""
    path = Path(__file__).resolve().parents[2] / "benchmarks" / "values.py"
    spec = importlib.util.spec_from_file_location("value_benchmark", path)
    module = importlib.util.module_from_spec(spec)
    sys.modules["value_benchmark"] = module  # a dataclass looks its module up
    spec.loader.exec_module(module)
    return module


written = load_benchmark()


#: Kinds that are read by the whole of validation take longer.
SLOW = ("identifier", "code", "label", "missing")


@pytest.mark.parametrize(
    "kind",
    [
        pytest.param(kind, marks=[pytest.mark.slow] if kind in SLOW else [])
        for kind in written.KINDS
    ],
)
@FEW
@given(source=st.randoms(use_true_random=False))
def test_a_value_of_a_declared_format_is_read_as_it_was(kind, source):
    cases = [written.KINDS[kind](source) for _ in range(5)]
    for case, value in zip(cases, written.read_back(kind, cases), strict=True):
        assert value != written.REFUSED
        assert written.is_same(case, value)


def items(dates):
    return pd.DataFrame(
        {
            "declaration_id": [f"A{row}" for row in range(len(dates))],
            "item_number": 1,
            "lodged_at": dates,
            "tariff_code": "010121",
        }
    )


WRITTEN_DATES = [
    f"{day}{time}"
    for day in ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%y", "%y/%m/%d", "%d-%b-%Y")
    for time in ("", " %H:%M")
] + ["%Y%m%d", "%m-%d-%y"]


@pytest.mark.slow
@FEW
@given(
    code=st.sampled_from(WRITTEN_DATES),
    moments=st.lists(
        st.datetimes(dt.datetime(1970, 1, 1), dt.datetime(2068, 12, 31)),
        min_size=1,
        max_size=40,
    ),
)
def test_a_column_of_any_format_is_never_read_as_another(code, moments):
    carried = [dt.datetime.strptime(m.strftime(code), code) for m in moments]
    report = check(items([m.strftime(code) for m in moments]), DECLARATIONS)
    for row, moment in report.table["lodged_at"].items():
        assert moment == carried[row]
    if code.startswith("%Y") or "%b" in code:
        assert report.ok


@pytest.mark.slow
@FEW
@given(source=st.randoms(use_true_random=False))
def test_a_checked_table_is_canonical_whatever_it_was(source):
    cases = [written.KINDS[k](source) for k in ("identifier", "code") for _ in range(8)]
    frame = items(["2024-01-05"] * len(cases))
    for row, case in enumerate(cases):
        if not case.options and case.column != "declaration_id":
            frame[case.column] = frame.get(case.column, pd.Series(None, dtype=object))
            frame.at[row, case.column] = case.written
    out = validate(frame, DECLARATIONS)
    pd.testing.assert_frame_equal(validate(out, DECLARATIONS), out)
