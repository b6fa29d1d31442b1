"""Results show themselves in a notebook, escaped."""

from __future__ import annotations

import pandas as pd

import smartrisk as sr


def test_every_result_shows_itself_in_a_notebook():
    import inspect

    bare = []
    for package in sr._PACKAGES:
        module = getattr(sr, package)
        for name in module.__all__:
            found = getattr(module, name)
            shows = inspect.isclass(found) and callable(getattr(found, "frame", None))
            if shows and not hasattr(found, "_repr_html_"):
                bare.append(name)
    assert bare == ["Ledger"]  # its entries may be millions


def test_what_a_notebook_shows_is_escaped(corpus):
    table = pd.DataFrame({"field": [corpus[0][0]], "psi": [0.1], "shift": ["stable"]})
    html = sr.monitoring.Drift(table)._repr_html_()
    assert "<script>" not in html
    assert "Drift(1 fields" in html


def test_the_corpus_reaches_every_text_field(corpus):
    fields = [f for f in sr.schema.DECLARATIONS if f.in_features]
    texts = {f.name for f in fields if f.kind == "text"}
    assert set(corpus[1]) <= set(sr.schema.DECLARATIONS.names)
    assert texts - set(corpus[1]) <= {"transport_mode", "quantity_unit"}
