"""Ten common mistakes: the message names the column and says what to do."""

from __future__ import annotations

import pytest

LANGUAGES = ("en", "fr", "es")
COLUMNS = {
    "declaration_id": "Nº declaración",
    "item_number": "Serie",
    "lodged_at": "Fecha",
    "importer_id": "RUC",
    "tariff_code": "Partida",
    "customs_value": "Valor",
}
MAP = "day_first = true\n[mapping]\n" + "".join(
    f'{field} = "{column}"\n' for field, column in COLUMNS.items()
)
RESULTS = '[mapping]\ndeclaration_id = "Nº declaración"\nitem_number = "Serie"\n'
RESULTS += 'illicit = "Fraude"\nchannel = "Canal"\n'


def items(n=120, **columns):
    """Return lines of items; a column may be replaced."""
    rows = [
        {
            "Nº declaración": f"D{k // 2}",
            "Serie": str(1 + k % 2),
            "Fecha": f"{1 + k % 28:02d}/0{1 + k // 28}/2024",
            "RUC": f"R{k % 9}",
            "Partida": f"{8401 + k % 13}1000",
            "Valor": str(100 + 7 * k),
        }
        for k in range(n)
    ]
    for column, values in columns.items():
        for row, value in zip(rows, values, strict=False):
            row[column] = value
    return rows


def results(labels):
    """Return lines of results with these labels."""
    return [
        {
            "Nº declaración": f"D{k // 2}",
            "Serie": str(1 + k % 2),
            "Fraude": label,
            "Canal": "Rojo",
        }
        for k, label in enumerate(labels)
    ]


def text(rows):
    """Return rows as lines between semicolons."""
    lines = [";".join(rows[0]), *(";".join(row.values()) for row in rows)]
    return "\n".join(lines) + "\n"


@pytest.fixture
def say(run, tmp_path):
    """Return a function that runs a command in every language."""
    (tmp_path / "map.toml").write_text(MAP, encoding="utf-8")
    (tmp_path / "results.toml").write_text(RESULTS, encoding="utf-8")

    def say(words, **files):
        for name, content in files.items():
            path = tmp_path / name.replace("__", ".")
            path.write_text(content, encoding="utf-8")
        shown = {}
        for lang in LANGUAGES:
            status, out, err = run(*words.split(), "--lang", lang)
            shown[lang] = (status, (out + err).replace("\u202f", " "))
        assert len({text for _, text in shown.values()}) == len(LANGUAGES)
        return shown

    return say


def assert_says(shown, column, *remedies, fails=True):
    """Check that each language names the column, and says its own remedy."""
    for lang, remedy in zip(LANGUAGES, remedies, strict=True):
        status, words = shown[lang]
        assert (status != 0) == fails, words
        assert column in words, words
        assert remedy in words, words


def test_a_file_of_results_in_place_of_items(say):
    shown = say(
        "validate wrong.csv --columns map.toml", wrong__csv=text(results("0101" * 5))
    )
    assert_says(
        shown,
        "'Partida'",
        "Name your own columns with ColumnMap",
        "Nommez vos propres colonnes avec ColumnMap",
        "Nombre sus propias columnas con ColumnMap",
    )


def test_a_column_that_is_misspelt_in_the_map(say):
    shown = say(
        "validate items.csv --columns wrong.toml",
        items__csv=text(items()),
        wrong__toml=MAP.replace('"Fecha"', '"Fecah"'),
    )
    assert_says(
        shown,
        "'Fecah'",
        "Did you mean 'Fecha'?",
        "Vouliez-vous dire 'Fecha' ?",
        "¿Quiso decir 'Fecha'?",
    )


def test_a_map_that_is_reversed(say):
    turned = "[mapping]\n" + "".join(f'"{c}" = "{f}"\n' for f, c in COLUMNS.items())
    shown = say(
        "validate items.csv --columns turned.toml",
        items__csv=text(items()),
        turned__toml=turned,
    )
    assert_says(
        shown,
        "'Nº declaración'",
        "The map is reversed",
        "La correspondance est inversée",
        "El mapa está invertido",
    )


def test_an_accent_without_quotes_in_toml(say):
    shown = say(
        "validate items.csv --columns accent.toml",
        items__csv=text(items()),
        accent__toml=MAP.replace('"Nº declaración"', "Nº declaración"),
    )
    assert_says(
        shown,
        "Nº declaración",
        "Put texts, and names with accents or blanks, in quotes",
        "Mettez entre guillemets",
        "Ponga entre comillas",
    )


def test_a_label_that_is_neither_yes_nor_no(say):
    labels = ["Oui", "Non"] * 10 + ["Peut-être"]
    shown = say(
        "validate res.csv --table outcomes --columns results.toml",
        res__csv=text(results(labels)),
    )
    assert_says(
        shown,
        "'Fraude'",
        "not true or false in 1 rows: 'Peut-être'",
        "ni vrai ni faux dans 1 lignes",
        "ni verdadero ni falso en 1 filas",
    )


def test_dates_in_several_formats(say):
    shown = say(
        "validate items.csv --columns map.toml",
        items__csv=text(items(Fecha=["2024-01-31"] * 9)),
    )
    assert_says(
        shown, "'Fecha'", "One column has one format", "corrigez l'export", "corrija la"
    )


def test_an_item_that_occurs_twice(say):
    rows = items()
    shown = say(
        "validate items.csv --columns map.toml",
        items__csv=text([*rows, {**rows[3], "Valor": "1"}]),
    )
    assert_says(
        shown,
        "'Nº declaración'",
        "Keep one row per",
        "Gardez une ligne par",
        "Deje una fila por",
    )


def test_results_without_a_hit(say):
    shown = say(
        "fit --declarations items.csv --columns map.toml --outcomes res.csv "
        "--outcome-columns results.toml --out engine",
        items__csv=text(items()),
        res__csv=text(results(["Non"] * 40)),
    )
    assert_says(
        shown,
        "'Fraude'",
        "Check that it is the column of results",
        "Vérifiez que c'est la colonne des résultats",
        "Compruebe que es la columna de resultados",
        fails=False,
    )


@pytest.mark.slow
def test_results_for_every_item(say, tmp_path):
    shown = say(
        "fit --declarations items.csv --columns map.toml --outcomes res.csv "
        "--outcome-columns results.toml --out engine",
        items__csv=text(items()),
        res__csv=text(results(["Non", "Non", "Oui"] * 40)),
    )
    for lang, remedy in zip(
        LANGUAGES,
        ("Leave items that nobody", "Retirez d'OUTCOMES", "Deje fuera de OUTCOMES"),
        strict=True,
    ):
        assert "'Fraude'" in shown[lang][1]
        assert remedy in shown[lang][1]


def test_a_file_that_is_cut(say):
    whole = text(items())
    shown = say("validate cut.csv --columns map.toml", cut__csv=whole[:-12])
    assert_says(
        shown,
        "121",
        "The file may be cut",
        "Le fichier est peut-être coupé",
        "El archivo puede estar cortado",
    )
