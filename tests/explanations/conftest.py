"""Reasons of later items, and the sentence of an item made by hand."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from smartrisk.explanations import explain
from smartrisk.features import FeatureInfo

ITEM = {
    "declaration_id": "D-1",
    "item_number": 1,
    "lodged_at": pd.Timestamp("2026-03-02"),
    "office": "KRPUS",
    "procedure": "4000",
    "importer_id": "SECRET-IMPORTER",
    "declarant_id": "SECRET-DECLARANT",
    "consignor_id": "SECRET-CONSIGNOR",
    "carrier_id": "SECRET-CARRIER",
    "tariff_code": "6403991000",
    "description": "secret description",
    "origin": "VN",
    "departure": "CN",
    "customs_value": 985.0,
    "net_mass_kg": 340.0,
    "gross_mass_kg": 400.0,
    "quantity": 12.0,
    "duty_rate": 0.12,
    "preference": "P1",
    "trusted_trader": False,
}


@pytest.fixture(scope="session")
def new(past_and_new):
    """Return some later items."""
    return past_and_new[1].iloc[:300]


@pytest.fixture(scope="session")
def reasons(engine, new):
    """Return their reasons."""
    return engine.explain(new, top=3)


def make_price_feature(statistic, key=("hs6", "origin"), measure="price_per_kg"):
    """Return a peer statistic."""
    return FeatureInfo(
        name=f"{'_x_'.join(key)}__{measure}_{statistic}",
        fields=("customs_value", "net_mass_kg", "tariff_code", "origin"),
        concept="valuation",
        statistic=statistic,
        key=key,
        measure=measure,
    )


def make_history_feature(
    statistic, key=("importer_id",), *, window=None, concept="trader record"
):
    """Return a history statistic."""
    fields = tuple(dict.fromkeys("tariff_code" if k[:2] == "hs" else k for k in key))
    return FeatureInfo(
        name="__".join(["_x_".join(key), statistic, *([window] if window else [])]),
        fields=fields,
        concept=concept,
        statistic=statistic,
        window=window,
        key=key,
    )


def make_item_feature(name, fields, statistic="value", concept="valuation"):
    """Return a feature of the item alone; fields are separated by spaces."""
    return FeatureInfo(
        name=name, fields=tuple(fields.split()), concept=concept, statistic=statistic
    )


@pytest.fixture(scope="session")
def features():
    """Return what makes features of prices, of history and of the item alone."""
    return SimpleNamespace(
        price=make_price_feature, history=make_history_feature, item=make_item_feature
    )


def make_valued_features(contributions, concepts, fields=None):
    """Return reasons of one item with a feature per concept."""
    frame = pd.DataFrame({"declaration_id": ["A"], "item_number": [1]})
    infos = [
        FeatureInfo(
            name=f"f{n}",
            fields=((fields or {}).get(n, f"field{n}"),),
            concept=concept,
            statistic="value",
        )
        for n, concept in enumerate(concepts)
    ]
    matrix = np.ones((1, len(infos)))
    return explain(frame, matrix, [[*contributions, -2.0]], infos, risk=[0.3])


@pytest.fixture(scope="session")
def make_reasons():
    """Return what makes reasons of one item with a feature per concept."""
    return make_valued_features


@pytest.fixture(scope="session")
def declared_item():
    """Return the fields of an item, its identities marked as secret."""
    return ITEM


@pytest.fixture(scope="session")
def first_sentence():
    """Return a function that gives the first sentence of an item's features."""

    def explain_features(pairs, *, lead=0, lang="en", **changes):
        frame = pd.DataFrame([ITEM | changes])
        matrix = np.array([[value for _, value in pairs]])
        contributions = np.full((1, len(pairs) + 1), 0.01)
        contributions[0, lead] = 0.5
        found = explain(frame, matrix, contributions, [info for info, _ in pairs])
        return found.sentences(lang=lang)[0][0]

    return explain_features
