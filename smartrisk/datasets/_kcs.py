"""The public Korean declarations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_choice, shown

_FILES = {"train": "df_syn_train_eng.csv", "valid": "df_syn_valid_eng.csv"}
_NEEDED = (
    "Declaration ID",
    "Date",
    "Office ID",
    "HS6 Code",
    "Tax Rate",
    "Net Mass",
    "Item Price",
    "Fraud",
)


@dataclass(frozen=True)
class PublicSet:
    """Declarations and results of a public set; its truth is what was found.

    Parameters
    ----------
    declarations : DataFrame
        Canonical DECLARATIONS.
    outcomes : DataFrame
        Canonical OUTCOMES, one per item: all were inspected.

    Examples
    --------
    >>> import pandas as pd
    >>> from smartrisk.datasets import PublicSet
    >>> len(PublicSet(pd.DataFrame(), pd.DataFrame()).declarations)
    0
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame


def load_kcs(path: str | os.PathLike[str], *, part: str | None = None) -> PublicSet:
    """Load the Korean customs declarations of Jeong et al. (2022).

    Parameters
    ----------
    path : path
        One of the set's English CSV files, or the folder that holds them.
    part : str, default=None
        "train" (2020) or "valid" (first quarter of 2021) when `path` is a folder;
        None for "train".

    Returns
    -------
    kcs : PublicSet
        Declarations and outcomes.

    Raises
    ------
    ArgumentError
        If the file is not there.
    TableError
        If it is not a file of this set.

    Notes
    -----
    The set is made by a generative model that repeats goods lines (HS code, route,
    rate, mass) together with their label: 87.6 % of the rows repeat one, and a
    look-up of it alone is right in 99 % of the top 5 %. Report results on seen and
    unseen goods lines apart.

    References
    ----------
    Jeong, C., Kim, S., Park, J., Choi, Y. (2022). Customs import declaration
    datasets. arXiv:2208.02484. MIT licence; on GitHub as
    Seondong/Customs-Declaration-Datasets.

    Examples
    --------
    >>> from smartrisk.datasets import load_kcs
    >>> load_kcs("nowhere")
    Traceback (most recent call last):
        ...
    smartrisk.errors.ArgumentError: load_kcs: no file 'nowhere'. ...
    """
    place = Path(path)
    if part is not None:
        check_choice("load_kcs", "part", part, _FILES)
    if place.is_dir():
        place = place / _FILES[part or "train"]
    if not place.is_file():
        raise ArgumentError(
            f"load_kcs: no file {str(place)!r}. Get {shown(_FILES.values())} from the "
            "GitHub repository Seondong/Customs-Declaration-Datasets (MIT licence)."
        )
    raw = pd.read_csv(place, dtype=str, keep_default_na=False)
    gone = [name for name in _NEEDED if name not in raw]
    if gone:
        raise TableError(
            f"load_kcs: {place.name!r} has no column {shown(gone)}; "
            "the English files of the set are needed."
        )
    return PublicSet(_declarations(raw), _outcomes(raw))


def _declarations(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the set's rows as DECLARATIONS."""
    blank = {name: raw[name].replace("", None) for name in raw}
    moment = pd.to_datetime(raw["Date"], format="%Y-%m-%d")
    frame = pd.DataFrame(
        {
            "declaration_id": _unique_ids(raw),
            "item_number": np.ones(len(raw), np.int64),
            "lodged_at": moment.astype("datetime64[us]"),
            "office": blank["Office ID"],
            "procedure": raw["Process Type"] + raw["Import Type"] + raw["Import Use"],
            "importer_id": blank["Importer ID"],
            "declarant_id": blank["Declarant ID"],
            "consignor_id": blank["Seller ID"],
            "carrier_id": blank["Courier ID"],
            "tariff_code": raw["HS6 Code"].str.zfill(6),
            "origin": blank["Country of Origin"],
            "departure": blank["Country of Departure"],
            "transport_mode": blank["Mode of Transport"],
            "customs_value": raw["Item Price"].astype(float),
            "net_mass_kg": raw["Net Mass"].astype(float),
            "duty_rate": raw["Tax Rate"].astype(float) / 100.0,
            "preference": blank["Tax Type"],
            "payment_type": blank["Payment Type"],
        }
    )
    texts = frame.select_dtypes(exclude=["number", "datetime"]).columns
    return frame.astype(dict.fromkeys(texts, "str"))


def _unique_ids(raw: pd.DataFrame) -> pd.Series:
    """Return the set's identifiers; a repeated one gets a running number."""
    ids = raw["Declaration ID"]
    again = ids.groupby(ids).cumcount()
    return ids.where(again == 0, ids + "-" + again.astype(str))


def _outcomes(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the set's labels as OUTCOMES."""
    return pd.DataFrame(
        {
            "declaration_id": _unique_ids(raw).astype("str"),
            "item_number": np.ones(len(raw), np.int64),
            "illicit": raw["Fraud"].astype(np.int64),
        }
    )
