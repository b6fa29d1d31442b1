"""Configuration of the documentation; it builds offline and with warnings as errors."""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
import warnings
from datetime import timedelta
from pathlib import Path

for name, value in {
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(name, value)

from sphinx_gallery.scrapers import figure_rst

import smartrisk

HERE = Path(__file__).resolve().parent

project = "smartrisk"
author = "The smartrisk developers"
copyright = author
release = version = smartrisk.__version__

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "sphinx_gallery.gen_gallery",
]
# The README in other languages leads to files of the project, as the README does.
exclude_patterns = ["_build", "tables", "**/GALLERY_HEADER.rst", "*/readme.md"]
templates_path = ["_templates"]
source_suffix = {".md": "markdown", ".rst": "restructuredtext"}
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = f"smartrisk {release}"
html_show_sourcelink = False
html_theme_options = {
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "secondary_sidebar_items": ["page-toc"],
}
html_static_path = ["_static"]
html_css_files = ["home.css"]
# Formulas are typeset by the reader's browser when it is online; nothing else is asked
# of the network, and no page needs it.
# scikit-learn's inherited docstrings refer to labels and terms of its own manual.
suppress_warnings = ["config.cache", "ref.ref", "ref.term"]


def scrape_display(block, block_vars, gallery_conf) -> str:
    """Save the display that a block of an example ends with; return its markup.

    Displays draw on figures that pyplot does not know. As an image, one gives the
    example its thumbnail too; its HTML view is left out in turn.
    """
    names = block_vars["example_globals"]
    display = names.get("___")
    is_display = isinstance(display, smartrisk.displays.Display)
    if not is_display or display is names.get("_scraped_display"):
        return ""
    names["_scraped_display"] = display
    path = next(block_vars["image_path_iterator"])
    display.save(path)
    return figure_rst([path], gallery_conf["src_dir"])


sphinx_gallery_conf = {
    "image_scrapers": ("matplotlib", scrape_display),
    "ignore_repr_types": r"smartrisk\.displays",
    "examples_dirs": str(HERE.parent / "examples"),
    "gallery_dirs": "gallery",
    "filename_pattern": r"[\\/]plot_",
    "abort_on_example_error": True,
    "remove_config_comments": True,
    "show_memory": False,
    "write_computation_times": False,
    "show_signature": False,
    "download_all_examples": False,
    "plot_gallery": "True",
}

# Warnings inside an example are errors too, except those of other packages.
warnings.filterwarnings("ignore", category=DeprecationWarning, module="mlflow")


def write_reference() -> None:
    """Write one reference page per package from its `__all__`: none is forgotten."""
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    # Pages of names that no longer exist would be warnings of the next build.
    shutil.rmtree(folder / "generated", ignore_errors=True)
    packages = sorted(set(smartrisk.__all__) - {"RiskEngine", "__version__", "cli"})
    for package in packages:
        write_if_changed(folder / f"{package}.rst", make_package_page(package))
    for path in folder.glob("*.rst"):
        if path.stem not in packages:
            path.unlink()


def write_if_changed(path: Path, text: str) -> None:
    """Write a file unless it has this text already: Sphinx rebuilds what is newer."""
    if not path.exists() or path.read_text(encoding="utf-8") != text:
        path.write_text(text, encoding="utf-8")


def make_package_page(package: str) -> str:
    """Return the reference page of a package."""
    module = importlib.import_module(f"smartrisk.{package}")
    front = set(smartrisk.datasets.__all__) if package == "worlds" else set()
    names = sorted(set(module.__all__) - front)
    classes = [n for n in names if inspect.isclass(getattr(module, n))]
    functions = [n for n in names if inspect.isroutine(getattr(module, n))]
    constants = [n for n in names if n not in classes and n not in functions]
    title = f"smartrisk.{package}"
    lines = [title, "=" * len(title), "", f".. automodule:: {title}", ""]
    lines += [".. currentmodule:: " + title, ""]
    for caption, group in (("Classes", classes), ("Functions", functions)):
        if group:
            lines += [caption, "-" * len(caption), "", ".. autosummary::"]
            lines += ["   :toctree: generated/", "", *[f"   {n}" for n in group], ""]
    if front & set(module.__all__):
        lines += ["Also in :doc:`datasets`", "-----------------------", ""]
        lines += [
            ", ".join(f"``{n}``" for n in sorted(front & set(module.__all__))),
            "",
        ]
    if constants:
        lines += ["Constants", "---------", ""]
        lines += [", ".join(f"``{n}``" for n in constants), ""]
    return "\n".join(lines)


def write_home() -> None:
    """Make the pictures and the two pages that the home page shows."""
    folder = HERE / "_static" / "home"
    folder.mkdir(parents=True, exist_ok=True)
    world = smartrisk.datasets.make_declarations(
        20_000, scenario="small", random_state=0
    )
    split = smartrisk.windows.time_split(world.declarations, world.outcomes)
    engine = smartrisk.RiskEngine(random_state=0).fit(split.past, split.known)
    engine.update(split.later)
    write_home_pictures(folder, world, split.later, engine)
    write_home_pages(folder, split, engine)


def write_home_pictures(folder, world, new, engine) -> None:
    """Draw how good the engine is, one item's reasons, and its calibration."""
    displays, evaluation = smartrisk.displays, smartrisk.evaluation
    scores, truth = engine.score(new), world.full_outcomes()
    ranked = new["customs_value"].rank(pct=True).to_numpy()
    by_value = scores.assign(risk_score=ranked, expected_revenue=ranked)
    contenders = {"engine": scores, "highest value": by_value}
    rates = (0.01, 0.02, 0.05, 0.1, 0.2, 0.3)
    displays.RateCurveDisplay.from_evaluations(
        {
            name: evaluation.evaluate(table, truth, rates=rates)
            for name, table in contenders.items()
        }
    ).save(folder / "rates.svg")
    riskiest = new.iloc[[scores["risk_score"].to_numpy().argmax()]]
    displays.ReasonsDisplay.from_reasons(engine.explain(riskiest)[0]).save(
        folder / "reasons.svg"
    )
    both = scores.merge(truth, on=["declaration_id", "item_number"])
    displays.ReliabilityDisplay.from_calibrations(
        evaluation.calibration(both["risk_score"], both["illicit"])
    ).save(folder / "calibration.svg")


def write_home_pages(folder, split, engine) -> None:
    """Write a watch list of the last week, and the case sheet of its first item."""
    new = split.later
    week = new[new["lodged_at"] >= new["lodged_at"].max() - timedelta(days=7)]
    scores = engine.score(week)
    item = week.iloc[[scores["risk_score"].to_numpy().argmax()]]
    pages = smartrisk.pages
    pages.WatchList.from_engine(engine, week, capacity=12).save(
        folder / "watch-list.html"
    )
    pages.CaseSheet.from_engine(
        engine, item, past=split.past, outcomes=split.known
    ).save(folder / "case-sheet.html")
    for path in folder.iterdir():
        path.chmod(0o644)  # what the library saves is for its owner only


def name_language(app, pagename, templatename, context, doctree) -> None:
    """Give a page in another language its language, for readers who listen."""
    folder = pagename.partition("/")[0]
    if folder in ("fr", "es"):
        context["language"] = folder


def setup(app) -> None:
    """Write what is generated before Sphinx reads the pages."""
    write_reference()
    write_home()
    app.connect("html-page-context", name_language)
