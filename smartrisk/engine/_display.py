"""The parameters of an engine as HTML for a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

import pandas as pd


def settings_html(
    title: str, settings: Mapping[str, object], version: str | None
) -> str:
    """Return the parameters, and the version of a fitted engine, as HTML."""
    known = {} if version is None else {"version_": version}
    rows = [(name, str(value)) for name, value in {**known, **settings}.items()]
    table = pd.DataFrame(rows, columns=["parameter", "value"])
    return (
        f"<p><code>{escape(title)}</code></p>\n<details><summary>"
        f"{len(rows)} parameters</summary>{table.to_html(index=False, border=0)}"
        "</details>"
    )
