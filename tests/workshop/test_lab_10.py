"""Lab 10: each catalogued mistake gets its own hint; an edited record is seen."""

from __future__ import annotations

import sqlite3

import pandas as pd
import pytest

import smartrisk as sr
from smartrisk.pages._obligations import OBLIGATIONS

_ITEM = "item = record.contested.iloc[0]\n"
_REPLAY = _ITEM + (
    "replayed = record.ledger.replay(\n"
    "    {of}['declaration_id'], {engine}, item_number=int({of}['item_number'])\n"
    ")"
)
_OVERRIDE = _ITEM + (
    "signed = record.ledger.override(\n"
    "    item['declaration_id'], item_number=int(item['item_number']),\n"
    "    channel='green', officer_id='A-12', reason={reason}\n"
    ")"
)
_POINTS = "p = record.read_points(lab.lang)\nopen_points = p{rows}['point']"
MISTAKES = {
    ("10.1", "another item"): _REPLAY.format(
        of="record.items.iloc[0]", engine="record.engine"
    ),
    ("10.1", "another engine"): _REPLAY.format(of="item", engine="record.engine_today"),
    ("10.2", "without a reason"): _OVERRIDE.format(reason="'ok'"),
    ("10.2", "reason names a trader"): _OVERRIDE.format(
        reason="f'Certificate of {item.importer_id} seen.'"
    ),
    ("10.2", "no override"): "signed = record.ledger.note('released by A-12')",
    ("10.3", "every point"): _POINTS.format(rows=""),
    ("10.3", "points with evidence"): _POINTS.format(rows="[p['shown'].notna()]"),
}


@pytest.mark.parametrize(("task", "mistake"), MISTAKES)
def test_a_catalogued_mistake_gets_its_own_hint(make_lab, hand_in, task, mistake):
    found = hand_in(make_lab(10), task, MISTAKES[task, mistake])
    assert (found.status, found.mistake) == ("mistake", mistake), found.text


def test_another_channel_or_item_is_not_right(make_lab, hand_in):
    lab = make_lab(10)
    code = _OVERRIDE.format(reason="'certificate seen'").replace("green", "yellow")
    assert hand_in(lab, "10.2", code).status == "wrong"
    other = code.replace("yellow", "green").replace("contested", "items")
    assert hand_in(lab, "10.2", other).status == "wrong"


def test_a_record_that_was_edited_is_seen(make_lab, hand_in):
    """The chain of one seat is edited as no library would do it."""
    lab = make_lab(10, seat=3)
    code = _OVERRIDE.format(reason="'certificate seen'")
    assert hand_in(lab, "10.2", code).status == "right"
    with sqlite3.connect(lab.record.ledger.path) as database:
        triggers = database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall()
        for (name,) in triggers:
            database.execute(f"DROP TRIGGER {name}")
        database.execute(
            "UPDATE entries SET body = replace(body, '\"red\"', '\"green\"') "
            "WHERE kind = 'decision'"
        )
    database.close()
    found = hand_in(lab, "10.2", code)
    assert (found.status, found.mistake) == ("mistake", "record edited")


def test_equal_work_in_another_shape_is_right(make_lab, hand_in):
    code = _POINTS.format(rows="[p['shown'].isna()]") + "[::-1].to_numpy()"
    assert hand_in(make_lab(10), "10.3", code).status == "right"


@pytest.mark.parametrize("lang", ["en", "fr", "es"])
def test_the_points_are_those_of_the_card(make_lab, lang):
    record = make_lab(10).record
    points = record.read_points(lang)
    assert points["point"].tolist() == [obligation.code for obligation in OBLIGATIONS]
    pd.testing.assert_series_equal(
        points["shown"].isna(), record.read_points()["shown"].isna()
    )
    assert 0 < points["shown"].isna().sum() < len(points)


def test_the_ledger_is_the_same_in_every_cell(make_lab):
    """A check opens the lab again: it must see what the learner has written."""
    assert make_lab(10).record is make_lab(10).record
    assert make_lab(10, seat=2).record is not make_lab(10).record
    assert isinstance(make_lab(10).record.ledger, sr.ledger.Ledger)


@pytest.mark.parametrize("lang", ["fr", "es", "es-MX"])
def test_the_same_points_are_open_in_every_language(make_lab, lang):
    record = make_lab(10).record
    english, translated = record.read_points(), record.read_points(lang)
    assert english["shown"].isna().any()
    assert english["shown"].isna().tolist() == translated["shown"].isna().tolist()
