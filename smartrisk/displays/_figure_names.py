"""Names of the figures of a realism report, for the catalogues.

`smartrisk.worlds` holds them as plain texts; the picture shows them in its language.
"""

from smartrisk.languages import N_

#: Every figure of the report.
FIGURE_NAMES = (
    N_("value of the top 1 % of items"),
    N_("value of the top 10 % of items"),
    N_("items of the top 1 % of importers"),
    N_("items of the top 10 % of importers"),
    N_("importers with one item"),
    N_("items of the top 10 % of declarants"),
    N_("items of the top 1 % of HS6 codes"),
    N_("items of the top 10 % of HS6 codes"),
    N_("mean of log10 value"),
    N_("spread of log10 value"),
    N_("mean of log10 mass"),
    N_("spread of log10 mass"),
    N_("items of importers never seen"),
    N_("items of consignors never seen"),
    N_("items of HS6 codes never seen"),
    N_("items free of duty"),
    N_("99th percentile of the duty rate"),
    N_("items from the largest origin"),
    N_("departure is not the origin"),
    N_("items by sea"),
    N_("items by air"),
    N_("items lodged on a Monday"),
    N_("items lodged on a Saturday"),
    N_("items lodged on a Sunday"),
    N_("busiest month to the quietest"),
    N_("items without a consignor"),
    N_("items without a carrier"),
    N_("items of zero mass"),
    N_("items of a declaration"),
    N_("illicit among all items"),
    N_("quarter of most fraud to that of least"),
    N_("items with a result"),
    N_("hit rate"),
    N_("office of the highest hit rate"),
    N_("office of the lowest hit rate"),
)
