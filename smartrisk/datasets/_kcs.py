"""The public Korean customs declarations of Jeong et al. (2022)."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from smartrisk.errors import ArgumentError, TableError, check_choice, format_values
from smartrisk.results import notebook_table

#: Parts of the set and their English files.
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
    """Declarations and outcomes of a data set without a known truth.

    Parameters
    ----------
    declarations : DataFrame
        Canonical DECLARATIONS.
    outcomes : DataFrame
        Canonical OUTCOMES of some or all of the items.

    Examples
    --------
    >>> from smartrisk.datasets import PublicSet, make_declarations
    >>> world = make_declarations(n_items=500, random_state=0)
    >>> PublicSet(declarations=world.declarations, outcomes=world.outcomes)
    PublicSet(n_items=500, n_results=46)
    """

    declarations: pd.DataFrame
    outcomes: pd.DataFrame

    def __repr__(self) -> str:
        n_items, n_results = len(self.declarations), len(self.outcomes)
        return f"PublicSet(n_items={n_items}, n_results={n_results})"

    def _repr_html_(self) -> str:
        """Return the first declarations as HTML for a notebook."""
        return notebook_table(self.declarations, repr(self))


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
        Declarations and outcomes; every item has an outcome, and none has a
        ``known_at``.

    Raises
    ------
    ArgumentError
        If there is no such file; the message states where to get the set.
    TableError
        If the file is not one of this set.

    Notes
    -----
    The set was made by a generative model that repeats goods lines (HS code, route,
    rate, mass) together with their label: 87.6 % of the items repeat one, and a
    look-up of it is right in 99 % of the top 5 %. Report results on seen and unseen
    goods lines separately. `procedure` is the process type, import type and import
    use; the indicator of origin and the critical fraud are left out.

    References
    ----------
    Jeong, C., Kim, S., Park, J., Choi, Y. (2022). Customs import declaration
    datasets. arXiv:2208.02484. MIT licence; on GitHub as
    Seondong/Customs-Declaration-Datasets.

    Examples
    --------
    With the files of the set in a folder (see References):

    >>> import smartrisk as sr
    >>> kcs = sr.datasets.load_kcs("kcs/data")  # doctest: +SKIP
    >>> engine = sr.RiskEngine().fit(kcs.declarations, kcs.outcomes)  # doctest: +SKIP
    """
    place = _find_file(Path(path), part)
    raw = pd.read_csv(place, dtype=str, keep_default_na=False, encoding="utf-8-sig")
    missing = [name for name in _COLUMNS if name not in raw]
    if missing:
        raise TableError(
            "datasets.kcs_lacks_columns",
            "load_kcs: {file!r} has no column {missing}. Pass one of the English "
            "files of the set, {files}.",
            file=place.name,
            missing=format_values(missing),
            files=format_values(_FILES.values()),
        )
    return PublicSet(declarations=_make_declarations(raw), outcomes=_make_outcomes(raw))


def _find_file(place: Path, part: str | None) -> Path:
    """Return the file of a part in a folder, or the file itself."""
    if part is not None:
        check_choice("load_kcs", "part", part, _FILES)
        if place.is_file():
            raise ArgumentError(
                "datasets.kcs_part_of_a_file",
                "load_kcs: 'part' goes with a folder; {file!r} is a file. Leave "
                "'part' out.",
                file=place.name,
            )
    if place.is_dir():
        place = place / _FILES[part or "train"]
    if not place.is_file():
        raise ArgumentError(
            "datasets.kcs_no_file",
            "load_kcs: no file {path!r}. The set ({files}, MIT licence) is on "
            "GitHub: Seondong/Customs-Declaration-Datasets, folder data.",
            path=str(place),
            files=format_values(_FILES.values()),
        )
    return place


def _text_column(values: pd.Series) -> pd.Series:
    """Return texts as a text column; the empty text is missing."""
    plain = values.to_numpy(dtype=object, copy=True)
    plain[plain == ""] = None
    return pd.Series(plain, dtype="str")


def _number_column(raw: pd.DataFrame, name: str) -> pd.Series:
    """Return a column as numbers; the empty text is missing."""
    values = pd.to_numeric(raw[name].replace("", "nan"), errors="coerce")
    wrong = values.isna() & ~raw[name].isin(["", "nan"])
    if wrong.any():
        raise TableError(
            "datasets.kcs_not_numbers",
            "load_kcs: column {column!r} must hold numbers; got {examples}.",
            column=name,
            examples=format_values(raw.loc[wrong, name]),
        )
    return values.astype("float64")


def _make_declarations(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the lines of the set as DECLARATIONS."""
    process = raw["Process Type"] + "-" + raw["Import Type"] + "-" + raw["Import Use"]
    return pd.DataFrame(
        {
            **_make_key(raw),
            "lodged_at": _date_column(raw["Date"]),
            "office": _text_column(raw["Office ID"]),
            "procedure": _text_column(process),
            "importer_id": _text_column(raw["Importer ID"]),
            "declarant_id": _text_column(raw["Declarant ID"]),
            "consignor_id": _text_column(raw["Seller ID"]),
            "carrier_id": _text_column(raw["Courier ID"]),
            "tariff_code": _text_column(raw["HS6 Code"].str.zfill(6)),
            "origin": _text_column(raw["Country of Origin"]),
            "departure": _text_column(raw["Country of Departure"]),
            "transport_mode": _text_column(raw["Mode of Transport"]),
            "customs_value": _number_column(raw, "Item Price"),
            "net_mass_kg": _number_column(raw, "Net Mass"),
            "duty_rate": _number_column(raw, "Tax Rate") / 100.0,
            "preference": _text_column(raw["Tax Type"]),
            "payment_type": _text_column(raw["Payment Type"]),
        }
    )


def _date_column(values: pd.Series) -> pd.Series:
    """Return the dates of lodgement."""
    dates = pd.to_datetime(values, format="%Y-%m-%d", errors="coerce")
    if dates.isna().any():
        raise TableError(
            "datasets.kcs_not_dates",
            "load_kcs: column 'Date' must hold dates such as 2020-12-31; got "
            "{examples}.",
            examples=format_values(values[dates.isna()]),
        )
    return dates.astype("datetime64[us]")


def _make_key(raw: pd.DataFrame) -> dict[str, pd.Series]:
    """Return the key; the lines of a declaration are numbered from 1."""
    ids = raw["Declaration ID"]
    number = ids.groupby(ids).cumcount() + 1
    return {"declaration_id": _text_column(ids), "item_number": number.astype("int64")}


def _make_outcomes(raw: pd.DataFrame) -> pd.DataFrame:
    """Return the labels of the set as OUTCOMES; the set has no `known_at`."""
    wrong = ~raw["Fraud"].isin(["0", "1"])
    if wrong.any():
        raise TableError(
            "datasets.kcs_not_labels",
            "load_kcs: column 'Fraud' must be 0 or 1; got {examples}.",
            examples=format_values(raw.loc[wrong, "Fraud"]),
        )
    return pd.DataFrame({**_make_key(raw), "illicit": raw["Fraud"].astype("int64")})
