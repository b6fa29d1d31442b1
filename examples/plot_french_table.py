"""
A table with French columns
===========================

French column names, day before month, decimal commas, tariff codes of eleven digits
that lost their leading zeros, a rate in percent, and results only where something was
inspected: a column map is all that you write. No other preparation is needed.
"""

# %%
# The export
# ----------
#
# One table holds items and results. It is made from a synthetic world here, so that the
# page can be built anywhere; yours comes from a file, read as text.

import pandas as pd

import smartrisk as sr

world = sr.datasets.make_declarations(20_000, random_state=4)
table = world.declarations.merge(
    world.outcomes, on=["declaration_id", "item_number"], how="left"
)


def day(moments):
    """Write dates as 31/12/2024."""
    return moments.dt.strftime("%d/%m/%Y").fillna("")


def comma(numbers, digits=2):
    """Write numbers with a decimal comma."""
    return numbers.map(lambda v: f"{v:.{digits}f}".replace(".", ","), "ignore")


export = pd.DataFrame(
    {
        "n° déclaration": table["declaration_id"],
        "article": table["item_number"],
        "date d'enregistrement": day(table["lodged_at"]),
        "bureau": table["office"],
        "importateur": table["importer_id"],
        "déclarant": table["declarant_id"],
        "expéditeur": table["consignor_id"],
        # As a spreadsheet leaves it: a number without its leading zero.
        "position tarifaire": table["tariff_code"].str.ljust(11, "0").str.lstrip("0"),
        "pays d'origine": table["origin"],
        "pays de provenance": table["departure"],
        "valeur en douane": comma(table["customs_value"]),
        "masse nette": comma(table["net_mass_kg"], 3),
        "masse brute": comma(table["gross_mass_kg"], 3),
        "taux (%)": comma(100 * table["duty_rate"]),
        "droits et taxes": comma(table["duties_taxes"]),
        "fraude": table["illicit"].map({0: "0", 1: "1"}).fillna(""),
        "montant redressé": comma(table["revenue_adjustment"]).fillna(""),
        "date du résultat": day(table["known_at"]),
    }
)
export[export["fraude"] != ""].head(3).T

# %%
# The column map
# --------------
#
# It names the columns of both tables and states how values are written. You can save it
# as TOML and pass it to every command of the command line.

columns = sr.schema.ColumnMap(
    {
        "declaration_id": "n° déclaration",
        "item_number": "article",
        "lodged_at": "date d'enregistrement",
        "office": "bureau",
        "importer_id": "importateur",
        "declarant_id": "déclarant",
        "consignor_id": "expéditeur",
        "tariff_code": "position tarifaire",
        "origin": "pays d'origine",
        "departure": "pays de provenance",
        "customs_value": "valeur en douane",
        "net_mass_kg": "masse nette",
        "gross_mass_kg": "masse brute",
        "duty_rate": "taux (%)",
        "duties_taxes": "droits et taxes",
        "illicit": "fraude",
        "revenue_adjustment": "montant redressé",
        "known_at": "date du résultat",
    },
    day_first=True,
    decimal=",",
    duty_rate_unit="percent",
    tariff_digits=11,
)
print(columns.to_toml())

# %%
# Validation
# ----------
#
# The same table is read twice: as declarations, without the results, and as outcomes,
# without the items that have no result. Nobody inspected these; they are not compliant.

declarations = sr.validation.validate(export, sr.schema.DECLARATIONS, columns=columns)
outcomes = sr.validation.validate(export, sr.schema.OUTCOMES, columns=columns)
print(f"{len(declarations)} items, {len(outcomes)} inspected")
declarations.head(3).T

# %%
# Fit, score, evaluate
# --------------------

split = sr.windows.time_split(declarations, outcomes)
engine = sr.RiskEngine().fit(split.past, split.known)
engine.update(split.later)
scores = engine.score(split.later)
result = sr.evaluation.evaluate(scores, world.full_outcomes(), n_bootstrap=0)
result.frame()[["rank_by", "rate", "precision", "recall", "revenue_share"]]

# %%
# The reasons are in the officer's language.

decisions = engine.select(split.later, capacity=0.05)
first = decisions[decisions["selected_by"] == "model"].sort_values("rank").index[:3]
for sentences in engine.explain(split.later.loc[first]).sentences(lang="fr"):
    print("-", "\n  ".join(sentences))
