"""Configuration of the documentation; it builds offline and with warnings as errors."""

from __future__ import annotations

import importlib
import inspect
import os
import shutil
import warnings
from pathlib import Path

for name, value in {
    "OMP_WAIT_POLICY": "PASSIVE",
    "OMP_NUM_THREADS": "1",
    "MPLBACKEND": "Agg",
    "MLFLOW_DISABLE_TELEMETRY": "true",
}.items():
    os.environ.setdefault(name, value)

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
exclude_patterns = ["_build", "tables", "**/GALLERY_HEADER.rst"]
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
html_static_path: list[str] = []
# Formulas are typeset by the reader's browser when it is online; nothing else is asked
# of the network, and no page needs it.
# scikit-learn's inherited docstrings refer to labels of its own manual.
suppress_warnings = ["config.cache", "ref.ref"]

sphinx_gallery_conf = {
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


def write_reference(app: object) -> None:
    """Write one reference page per room from its `__all__`: none is forgotten."""
    folder = HERE / "reference"
    folder.mkdir(exist_ok=True)
    # Pages of names that are gone would be warnings of the next build.
    shutil.rmtree(folder / "generated", ignore_errors=True)
    rooms = [room for room in smartrisk._ROOMS if room != "cli"]
    for room in rooms:
        text = room_page(room)
        path = folder / f"{room}.rst"
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            path.write_text(text, encoding="utf-8")
    for path in folder.glob("*.rst"):
        if path.stem not in rooms:
            path.unlink()


def room_page(room: str) -> str:
    """Return the reference page of a room."""
    module = importlib.import_module(f"smartrisk.{room}")
    names = sorted(module.__all__)
    classes = [n for n in names if inspect.isclass(getattr(module, n))]
    functions = [n for n in names if inspect.isroutine(getattr(module, n))]
    constants = [n for n in names if n not in classes and n not in functions]
    title = f"smartrisk.{room}"
    lines = [title, "=" * len(title), "", f".. automodule:: smartrisk.{room}", ""]
    lines += [".. currentmodule:: " + title, ""]
    for caption, group in (("Classes", classes), ("Functions", functions)):
        if group:
            lines += [caption, "-" * len(caption), "", ".. autosummary::"]
            lines += ["   :toctree: generated/", "", *[f"   {n}" for n in group], ""]
    if constants:
        lines += ["Constants", "---------", ""]
        lines += [", ".join(f"``{n}``" for n in constants), ""]
    return "\n".join(lines)


def setup(app: object) -> None:
    """Connect the page writer."""
    write_reference(app)
