"""The public Korean declarations."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_choice, format_values

_FILES = {"train": "df_syn_train_eng.csv", "valid": "df_syn_valid_eng.csv"}
_COLUMNS = (
    "Declaration ID",
    "Date",
    "Office ID",
    "Process Type",
    "Import Type",
    "Import Use",
    "Payment Type",
    "Mode of Transport",
    "Declarant ID",
    "Importer ID",
    "Seller ID",
    "Courier ID",
    "HS6 Code",
    "Country of Departure",
    "Country of Origin",
    "Tax Rate",
    "Tax Type",
    "Net Mass",
    "Item Price",
    "Fraud",
)


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
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
    >>> from smartrisk.datasets import PublicSet, make_declarations
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> PublicSet(declarations=world.declarations, outcomes=world.outcomes)
    PublicSet(500 items)
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame

    def __repr__(self) -> str:
        return f"PublicSet({len(self.declarations)} items)"


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
        If the file is not there; the message says where the set is.
    TableError
        If it is not a file of this set.

    Notes
    -----
    The set is made by a generative model that repeats goods lines (HS code, route,
    rate, mass) together with their label: 87.6 % of the rows repeat one, and a
    look-up of it alone is right in 99 % of the top 5 %. Report results on seen and
    unseen goods lines apart. `procedure` is the process type, import type and import
    use; the indicator of origin and the critical fraud are left out.

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
    place = _file(Path(path), part)
    raw = pd.read_csv(place, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    gone = [name for name in _COLUMNS if name not in raw]
    if gone:
        raise TableError(
            "datasets.column_takes_english_files",
            "load_kcs: {name!r} has no column {gone}. It takes the English "
            "files of the set, {value}.",
            name=place.name,
            gone=format_values(gone),
            value=format_values(_FILES.values()),
        )
    return PublicSet(declarations=_declarations(raw), outcomes=_outcomes(raw))


def _file(place: Path, part: str | None) -> Path:
    """Return the file that is meant."""
    if part is not None:
        check_choice("load_kcs", "part", part, _FILES)
        if place.is_file():
            raise ArgumentError(
                "datasets.part_goes_folder_file",
                "load_kcs: 'part' goes with a folder; {name!r} is a file. Leave "
                "'part' out.",
                name=place.name,
            )
    if place.is_dir():
        place = place / _FILES[part or "train"]
    if not place.is_file():
        raise ArgumentError(
            "datasets.file_set_mit_licence",
            "load_kcs: no file {place!r}. The set ({value}, MIT licence) is on "
            "GitHub: Seondong/Customs-Declaration-Datasets, folder data.",
            place=str(place),
            value=format_values(_FILES.values()),
        )
    return place


def _text(values: pd.Series) -> pd.Series:
    """Return texts as the house keeps them; the empty text is missing."""
    plain = values.to_numpy(dtype=object, copy=True)
    plain[plain == ""] = None
    return pd.Series(plain, dtype="str")


def _number(raw: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as numbers; the empty text is missing."""
    values = pd.to_numeric(raw[name].replace("", "nan"), errors="coerce")
    wrong = values.isna() & ~raw[name].isin(["", "nan"])
    if wrong.any():
        raise TableError(
            "datasets.column_numbers_got",
            "load_kcs: column {name!r} must hold numbers; got {loc}.",
            name=name,
            loc=format_values(raw.loc[wrong, name]),
        )
    return values.astype("float64")


def _declarations(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the set as DECLARATIONS."""
    process = raw["Process Type"] + "-" + raw["Import Type"] + "-" + raw["Import Use"]
    key = _key(raw)
    return pd.DataFrame(
        {
            **key,
            "lodged_at": _dates(raw["Date"]),
            "office": _text(raw["Office ID"]),
            "procedure": _text(process),
            "importer_id": _text(raw["Importer ID"]),
            "declarant_id": _text(raw["Declarant ID"]),
            "consignor_id": _text(raw["Seller ID"]),
            "carrier_id": _text(raw["Courier ID"]),
            "tariff_code": _text(raw["HS6 Code"].str.zfill(6)),
            "origin": _text(raw["Country of Origin"]),
            "departure": _text(raw["Country of Departure"]),
            "transport_mode": _text(raw["Mode of Transport"]),
            "customs_value": _number(raw, "Item Price"),
            "net_mass_kg": _number(raw, "Net Mass"),
            "duty_rate": _number(raw, "Tax Rate") / 100.0,
            "preference": _text(raw["Tax Type"]),
            "payment_type": _text(raw["Payment Type"]),
        }
    )


def _dates(values: pd.Series) -> pd.Series:
    """Return the dates of lodgement."""
    dates = pd.to_datetime(values, format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        raise TableError(
            "datasets.column_date_dates_got",
            "load_kcs: column 'Date' must hold dates as 2020-12-31; got {values}.",
            values=format_values(values[dates.isna()]),
        )
    return dates.astype("datetime64[us]")


def _key(raw: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the key; lines of a repeated declaration are counted from 1."""
    ids = raw["Declaration ID"]
    number = ids.groupby(ids).cumcount() + 1
    return {"declaration_id": _text(ids), "item_number": number.astype("int64")}


def _outcomes(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the labels of the set as OUTCOMES; when they were known is not told."""
    wrong = ~raw["Fraud"].isin(["0", "1"])
    if wrong.any():
        raise TableError(
            "datasets.column_fraud_got",
            "load_kcs: column 'Fraud' must be 0 or 1; got {loc}.",
            loc=format_values(raw.loc[wrong, "Fraud"]),
        )
    return pd.DataFrame({**_key(raw), "illicit": raw["Fraud"].astype("int64")})
