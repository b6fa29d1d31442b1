"""The first page of a stick: what to open, in three languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from html import escape
from typing import Any

from smartrisk.languages import LANGUAGES, has_decimal_point, language_of, translator
from smartrisk.page_style import CONTENT_POLICY, style_sheet
from smartrisk.workshop._stick_texts import SYSTEMS, starter

_TEXTS: dict[str, str] = {
    "title": "A class on customs risk scoring, without a network",
    "for": "For {system}, Python {python}, 64 bits",
    "steps": "What to do",
    "python": "Python {python} must be on this machine. If it is not, the next step "
    "reports it and says where to get it.",
    "install": "Open {installer}. It compares the files of the stick with their "
    "digests and installs the class into the folder {folder}. It takes a few minutes "
    "and {needed} MB, and needs neither a network nor an administrator.",
    "start": "Open {starter} in that folder. JupyterLab opens in your browser at lab "
    "1. Leave the window open while you work.",
    "check": "If something does not work, open {checker} in that folder. It checks the "
    "machine, names what is missing and the remedy, and runs the demo.",
    "commands": "The same by commands",
    "here": "Open a terminal in the folder of the stick.",
    "lacks": "What a machine may lack",
    "digests": "Is the stick as it was written?",
    "compare": "The installer compares every file with SHA256SUMS. Your trainer has "
    "the digest of that file; show yours by this command:",
    "contents": "What is on it",
    "full": "JupyterLab, smartrisk and all that they need, as wheels for this system.",
    "light": "JupyterLab, smartrisk and all that the labs need, as wheels for this "
    "system. shap and the pages of MLflow are left out: reasons and the record of runs "
    "work without them.",
}
_PROBLEMS: dict[str, str] = {
    "windows": "The model needs the Microsoft Visual C++ runtime, which most machines "
    "have. Where it is missing, {checker} reports it: install the 'Microsoft Visual "
    "C++ Redistributable' for x64, 2015 or later.",
    "linux": "The model needs the OpenMP runtime libgomp, which most machines have, "
    "and the installation needs python{python}-venv on Debian and Ubuntu. "
    "{checker} reports what is missing.",
    "macos": "The model needs the OpenMP runtime libomp. Where it is missing, "
    "{checker} reports it: run 'brew install libomp'.",
}
#: How languages are called in themselves.
_NAMES = {"en": "English", "fr": "Français", "es": "Español"}
_FOLDERS = {
    "windows": "%USERPROFILE%\\smartrisk-class",
    "linux": "~/smartrisk-class",
    "macos": "~/smartrisk-class",
}
_COMMANDS = {
    "windows": (
        "install.cmd",
        '"%USERPROFILE%\\smartrisk-class\\start.cmd"',
        '"%USERPROFILE%\\smartrisk-class\\check.cmd"',
    ),
    "linux": (
        "sh install.sh",
        "sh ~/smartrisk-class/start.sh",
        "sh ~/smartrisk-class/check.sh",
    ),
}
_COMMANDS["macos"] = _COMMANDS["linux"]
_DIGESTS = {
    "windows": "certutil -hashfile SHA256SUMS SHA256",
    "linux": "sha256sum SHA256SUMS",
    "macos": "shasum -a 256 SHA256SUMS",
}


def start_page(settings: Mapping[str, Any]) -> str:
    """Return the page: the language of the stick first, the others below it."""
    first = language_of(settings["lang"])
    order = [first, *(lang for lang in LANGUAGES if lang != first)]
    links = " · ".join(f'<a href="#{lang}">{_NAMES[lang]}</a>' for lang in order)
    parts = "\n".join(_section(settings, lang) for lang in order)
    title = escape(_translate(first)(_TEXTS["title"]))
    return f"""<!doctype html>
<html lang="{first}">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{CONTENT_POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>{style_sheet()}
pre{{background:var(--panel);padding:.6rem .9rem;overflow-x:auto}}
section{{padding-top:1rem}}
section+section{{border-top:2px solid var(--accent);margin-top:2.5rem}}</style>
</head>
<body>
<header><nav class="meta">{links}</nav></header>
<main>
{parts}
</main>
</body>
</html>
"""


def _translate(lang: str) -> Callable[[str], str]:
    """Return what translates the texts of the page."""
    return translator(lang) or str


def _section(settings: Mapping[str, Any], lang: str) -> str:
    """Return what one language says."""
    platform = settings["platform"]
    translate = _translate(lang)
    values = {
        "system": SYSTEMS[platform],
        "python": settings["python"],
        "folder": _FOLDERS[platform],
        "needed": _thousands(settings["megabytes"], lang),
        "installer": starter("install", platform),
        "starter": starter("start", platform),
        "checker": starter("check", platform),
    }

    def say(text: str) -> str:
        return escape(translate(text).format(**values), quote=False)

    words = {name: say(text) for name, text in _TEXTS.items()}
    steps = "\n".join(
        f"<li>{words[name]}</li>" for name in ("python", "install", "start", "check")
    )
    commands = escape("\n".join(_COMMANDS[platform]), quote=False)
    return f"""<section id="{lang}" lang="{lang}">
<p class="kind">{words["for"]}</p>
<h1>{words["title"]}</h1>
<h2>{words["steps"]}</h2>
<ol>
{steps}
</ol>
<h2>{words["lacks"]}</h2>
<p>{say(_PROBLEMS[platform])}</p>
<h2>{words["commands"]}</h2>
<p>{words["here"]}</p>
<pre>{commands}</pre>
<h2>{words["digests"]}</h2>
<p>{words["compare"]}</p>
<pre>{_DIGESTS[platform]}</pre>
<h2>{words["contents"]}</h2>
<p>{words["light" if settings["light"] else "full"]}</p>
</section>"""


def _thousands(number: int, lang: str) -> str:
    """Return a whole number as the language writes it."""
    text = f"{number:,}"
    if has_decimal_point(lang):
        return text
    return text.replace(",", "\u202f" if lang == "fr" else ".")
