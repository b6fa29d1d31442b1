"""
From a messy export to a watch list
===================================

A file of a French-speaking administration as it often comes: title lines above the
header, an old encoding, semicolons, decimal commas and blanks between thousands, days
before months, two dates of which one is the payment, a document's total beside the
item's, parties called ``NA``, a column that is all zero, and results in a second file
with ``Oui`` and ``Non``. Nothing of it is edited.
"""

# %%
# The files
# ---------
#
# They are written here from a synthetic world, so that the page can be built anywhere.

import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

import smartrisk as sr

folder = Path(tempfile.mkdtemp())
world = sr.datasets.make_declarations(12_000, random_state=7)
items, results = world.declarations, world.outcomes


def day(moments):
    """Write dates as 31/12/2024."""
    return moments.dt.strftime("%d/%m/%Y").fillna("")


def amount(numbers):
    """Write amounts as 1 234,50."""
    texts = numbers.map("{:,.2f}".format).str.replace(",", " ").str.replace(".", ",")
    return texts.where(numbers.notna(), "")


def write(table, name, title=()):
    """Write a table as the system of the administration does."""
    lines = [*title, table.to_csv(index=False, sep=";", lineterminator="\n")]
    (folder / name).write_text("\n".join(lines), encoding="cp1252")


importers = items["importer_id"].astype(object).to_numpy().copy()
importers[::97] = "NA"
total = items.groupby("declaration_id")["customs_value"].transform("sum")
write(
    pd.DataFrame(
        {
            "N° DECL.": items["declaration_id"],
            "ART.": items["item_number"],
            "DATE ENREG.": day(items["lodged_at"]),
            "DATE PAIEMENT": day(items["lodged_at"] + pd.Timedelta(days=12)),
            "BUREAU": items["office"],
            "REGIME": items["procedure"],
            "NIF IMPORTATEUR": importers,
            "DECLARANT AGREE": items["declarant_id"],
            "EXPEDITEUR": items["consignor_id"],
            "ESPECE TARIFAIRE": items["tariff_code"],
            "PAYS ORIGINE": items["origin"],
            "PAYS PROVENANCE": items["departure"],
            "MODE TRANSP.": items["transport_mode"],
            "VAL. EN DOUANE TOTALE": amount(total),
            "VAL. EN DOUANE ART.": amount(items["customs_value"]),
            "POIDS NET": amount(items["net_mass_kg"]),
            "POIDS BRUT": amount(items["gross_mass_kg"]),
            "MONTANT ASSURANCE": "0,00",
            "TAUX DD (%)": amount(items["duty_rate"] * 100),
            "DROITS ET TAXES": amount(items["duties_taxes"]),
        }
    ),
    "articles.csv",
    title=["REPUBLIQUE - DIRECTION DES DOUANES", "Extraction des articles", ""],
)
write(
    pd.DataFrame(
        {
            "N° DECL.": results["declaration_id"],
            "ART.": results["item_number"],
            "CIRCUIT": results["channel"].map(
                {"red": "Rouge", "yellow": "Jaune", "green": "Vert", "blue": "Bleu"}
            ),
            "DATE CONTROLE": day(results["inspected_at"]),
            "DATE CONSTAT": day(results["known_at"]),
            "INFRACTION CONSTATEE": np.where(results["illicit"] == 1, "Oui", "Non"),
            "MONTANT REDRESSE": amount(results["revenue_adjustment"]),
        }
    ),
    "controles.csv",
)
print((folder / "articles.csv").read_text("cp1252")[:400])

# %%
# A first look
# ------------
#
# `read_table` finds encoding, separator and header. `profile` says what each column
# seems to hold, and what looks wrong, before anything is decided.

frame = sr.intake.read_table(folder / "articles.csv")
profile = sr.intake.profile(frame)
for look in profile.looks:
    print("-", look.message)
profile.columns()

# %%
# The proposed map
# ----------------
#
# `propose_map` proposes which column holds which field. Names propose, values decide:
# the date of payment is not the day of lodgement, the total of the document is not the
# value of the item. What is not certain is marked, with the reason. On the command line
# this step is ``smartrisk map articles.csv controles.csv --out map.toml``.

outcome_frame = sr.intake.read_table(folder / "controles.csv")
proposal = sr.intake.propose_map(frame, outcome_frame)
proposal.frame()[["field", "columns", "sure"]]

# %%
# You look at the map once, change what is wrong, and keep the file.

print(proposal.to_toml()[:900])

# %%
# Validation
# ----------
#
# Every repair and every doubt is counted, under the field and the column of the file.

checked = sr.validation.check(frame, sr.schema.DECLARATIONS, columns=proposal.columns)
declarations = checked.table
outcomes = sr.validation.validate(
    outcome_frame, sr.schema.OUTCOMES, columns=proposal.results.columns
)
print(f"{len(frame)} rows, {len(declarations)} items, {len(outcomes)} results")
checked.summary()

# %%
# The watch list
# --------------
#
# The engine learns from what was known by the middle of the period; the last two
# hundred items are decided on.

split = sr.windows.time_split(declarations, outcomes)
engine = sr.RiskEngine().fit(split.past, split.known)
today = split.later.tail(200)
watch_list = sr.pages.WatchList.from_engine(engine, today, 0.05)
watch_list.save(folder / "liste.html", lang="fr")
watch_list.frame(lang="fr").head(5).T
