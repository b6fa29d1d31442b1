"""Write the tables of countries and currencies of `smartrisk.schema`.

    python .ci/code_lists.py

Codes and names are those of the Unicode Common Locale Data Repository (CLDR), under the
Unicode licence 3.0, as the installed Babel carries them. Official inverted names, names
in use and customary codes are added below: they are facts of ISO 3166-1, of the United
Nations' list of countries, and of the European Union's publications office (UK, EL).
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import babel
from babel import Locale
from babel.core import get_global
from babel.numbers import get_territory_currencies

FOLDER = Path(__file__).parents[1] / "smartrisk" / "schema" / "_code_lists"
#: Codes of CLDR that are no country of ISO 3166-1: unions, parts, placeholders.
_NO_COUNTRY_TEXT = "AC CP CQ DG EA EU EZ IC QO TA UN XA XB ZZ"
NO_COUNTRY = frozenset(_NO_COUNTRY_TEXT.split())
#: Kosovo has a user-assigned code that customs administrations use.
CUSTOMARY_NUMBERS = {"XK": ("XKX", "")}
#: Former codes: their country has another code of three letters or digits today.
_FORMER_TEXT = (
    "BUR DDR FXX TMP YMD ZAR ROM ADO ANT SCG NTZ SUN YUG 230 280 532 736 "
    "886 530 278 249 720"
)
FORMER = frozenset(_FORMER_TEXT.split())
#: Names in use beside those of CLDR, by code; the comma inverts a name.
FURTHER = {
    "AE": "Emirates; UAE; U.A.E.; Emirats Arabes Unis; E.A.U.",
    "BN": "Brunei Darussalam",
    "BO": "Bolivia, Plurinational State of; Bolivia (Plurinational State of)",
    "BY": "Belorussia; Bielorussie; Bielorrusia",
    "CD": "Congo, Democratic Republic of the; Congo, The Democratic Republic of the; "
    "DR Congo; DRC; R.D. Congo; RDC; Zaire; Congo (Democratic Republic of the); "
    "République démocratique du Congo; República Democrática del Congo",
    "CG": "Congo; Republic of the Congo; République du Congo; República del Congo",
    "CI": "Ivory Coast; Cote d'Ivoire; Costa de Marfil",
    "CN": "China, People's Republic of; P.R. China; PR China; PRC; China PR; Chine "
    "populaire; République populaire de Chine; República Popular China",
    "CV": "Cabo Verde",
    "CZ": "Czech Republic; République tchèque; República Checa",
    "DE": "Germany, Federal Republic of; RFA; République fédérale d'Allemagne",
    "DO": "Dominican Rep.; Rep. Dominicana",
    "FM": "Micronesia, Federated States of; Micronesia (Federated States of)",
    "GB": "Great Britain; Grande-Bretagne; Gran Bretaña; U.K.; England; Angleterre; "
    "Inglaterra; United Kingdom of Great Britain and Northern Ireland; Royaume Uni",
    "GR": "Hellas",
    "HK": "Hong Kong; Hong-Kong; Hong Kong, China; Hong Kong (China)",
    "IR": "Iran, Islamic Republic of; Iran (Islamic Republic of)",
    "KP": "North Korea; Korea, Democratic People's Republic of; Korea (Democratic "
    "People's Republic of); Korea (the Democratic People's Republic of); Corée, "
    "République populaire démocratique de; Corea, República Popular Democrática de",
    "KR": "South Korea; Korea, Republic of; Korea (Republic of); Korea (the Republic "
    "of); Korea South; Corée, République de; Corea, República de",
    "LA": "Lao People's Democratic Republic; Laos, RDP",
    "LY": "Libyan Arab Jamahiriya",
    "MD": "Moldova, Republic of; Moldova (Republic of); Moldavia",
    "MK": "Macedonia; Macedonia, The Former Yugoslav Republic of; FYROM",
    "MM": "Burma; Birmanie; Birmania",
    "MO": "Macao; Macau",
    "NL": "Holland; Hollande; Holanda; Netherlands, Kingdom of the; The Netherlands; "
    "Les Pays-Bas",
    "PH": "The Philippines",
    "PS": "Palestine, State of; Palestine; Palestina; Palestinian Territory, Occupied",
    "RU": "Russian Federation; Fédération de Russie; Federación de Rusia; Federación "
    "Rusa; Russie, Fédération de",
    "SY": "Syrian Arab Republic; République arabe syrienne; República Árabe Siria",
    "SZ": "Swaziland; Suazilandia",
    "TL": "East Timor; Timor Oriental",
    "TR": "Turkey; Turquie; Türkiye; Turquía",
    "TW": "Taiwan, Province of China; Taiwan (Province of China); Taiwán, Provincia de "
    "China; Taïwan, Province de Chine; Chinese Taipei; Taiwan, China",
    "TZ": "Tanzania, United Republic of; Tanzania (United Republic of); Tanzanie, "
    "République unie de; Tanzanía, República Unida de",
    "US": "USA; U.S.A.; U.S.; United States of America; United States; America; "
    "États-Unis d'Amérique; Estados Unidos de América; EE.UU.; EEUU; E.U.A.; EUA; "
    "Etats Unis",
    "VA": "Holy See; Saint-Siège; Santa Sede",
    "VE": "Venezuela, Bolivarian Republic of; Venezuela (Bolivarian Republic of)",
    "VG": "Virgin Islands, British; Virgin Islands (British)",
    "VI": "Virgin Islands, U.S.; Virgin Islands (U.S.)",
    "VN": "Viet Nam; Viêt Nam; Socialist Republic of Vietnam",
    "ZA": "Rep. of South Africa; RSA",
}
#: Codes that administrations write for those of ISO 3166-1.
CUSTOMARY = {"GB": ("UK",), "GR": ("EL",)}


def numbers_of(code: str) -> tuple[str, str]:
    """Return the codes of three letters and of three digits."""
    if code in CUSTOMARY_NUMBERS:
        return CUSTOMARY_NUMBERS[code]
    aliases = get_global("territory_aliases")
    others = [k for k, v in aliases.items() if list(v) == [code] and k not in FORMER]
    (alpha,) = [k for k in others if re.fullmatch("[A-Z]{3}", k)]
    (digits,) = [k for k in others if re.fullmatch("[0-9]{3}", k)]
    return alpha, digits


def country_rows() -> list[str]:
    """Return a line for each country."""
    names = [Locale(language).territories for language in ("en", "fr", "es")]
    rows = []
    for code in sorted(names[0]):
        if re.fullmatch("[A-Z]{2}", code) and code not in NO_COUNTRY:
            further = [n.strip() for n in FURTHER.get(code, "").split(";") if n.strip()]
            cells = (
                code,
                *numbers_of(code),
                " ".join(CUSTOMARY.get(code, ())),
                *(own[code].replace("\u2019", "'") for own in names),
                "|".join(further),
            )
            rows.append("\t".join(cells))
    return rows


def currencies() -> list[str]:
    """Return the currencies that are legal tender somewhere, and the drawing right."""
    found = {"XDR"}
    for code in Locale("en").territories:
        if re.fullmatch("[A-Z]{2}", code):
            found.update(get_territory_currencies(code, date.today(), tender=True))
    return sorted(found)


def main() -> None:
    """Write both tables."""
    source = (
        f"# Unicode CLDR as of Babel {babel.__version__}, written by "
        f".ci/code_lists.py on {date.today():%Y-%m-%d}; Unicode licence 3.0."
    )
    head = "alpha2\talpha3\tnumeric\tcustomary\ten\tfr\tes\tfurther"
    lines = [source, head, *country_rows()]
    (FOLDER / "countries.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    lines = [source, "code", *currencies()]
    (FOLDER / "currencies.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
