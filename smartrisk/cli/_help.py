"""Help, usage and errors of the parser in the language of the request.

The texts are English in the code; a finished parser is translated as a whole, so that a
command that is added needs nothing but its entries in the catalogue ``help``.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from smartrisk.cli._terminal import make_encodable
from smartrisk.languages import catalogue

#: What `argparse` itself shows to a person, in the versions of Python from 3.11.
ARGPARSE: tuple[str, ...] = (
    "usage: ",
    "positional arguments",
    "options",
    "show this help message and exit",
    "show program's version number and exit",
    "%(prog)s: error: %(message)s\n",
    "argument %(argument_name)s: %(message)s",
    "the following arguments are required: %s",
    "one of the arguments %s is required",
    "not allowed with argument %s",
    "unrecognized arguments: %s",
    "unexpected option string: %s",
    "ignored explicit argument %r",
    "ambiguous option: %(option)s could match %(matches)s",
    "unknown parser %(parser_name)r (choices: %(choices)s)",
    "invalid choice: %(value)r (choose from %(choices)s)",
    "invalid choice: %(value)r, maybe you meant %(suggestion)r? (choose from "
    "%(choices)s)",
    "invalid %(type)s value: %(value)r",
    "expected one argument",
    "expected at most one argument",
    "expected at least one argument",
)
#: The same, with a plural.
ARGPARSE_PLURALS: tuple[tuple[str, str], ...] = (
    ("expected %s argument", "expected %s arguments"),
)
#: Context of the words that stand for a value: FILE, FOLDER.
PLACEHOLDER = "stands for a value in the help"
#: Attributes of a parser or an option that hold texts.
_SHOWN = ("help", "usage")


class Parser(argparse.ArgumentParser):
    """A parser whose help any terminal can show."""

    def _print_message(self, message: str, file: Any = None) -> None:
        """Write a text, without the characters that a stream cannot encode."""
        super()._print_message(make_encodable(message, file) if message else "", file)


def asked_language(words: Sequence[str]) -> str | None:
    """Return the value of ``--lang`` before the request is parsed; None without one."""
    for place, word in enumerate(words):
        name, _, value = word.partition("=")
        if word == "--":
            return None
        if name == "--lang":
            return value or next(iter(words[place + 1 :]), None)
    return None


def help_texts(parser: argparse.ArgumentParser) -> set[tuple[str | None, str]]:
    """Return the texts of a parser and its commands, each with its context."""
    found: set[tuple[str | None, str]] = set()
    for part in _parts(parser):
        for text in (getattr(part, name, None) for name in ("description", *_SHOWN)):
            if text and text != argparse.SUPPRESS:
                found.add((None, text))
        found |= {(PLACEHOLDER, word) for word in _placeholders(part)}
    return found


def translate_parser(parser: argparse.ArgumentParser, lang: str) -> None:
    """Put the texts of a parser and its commands in a language."""
    if lang == "en":
        return
    texts = catalogue("help", lang)
    for part in _parts(parser):
        for name in ("description", "title", *_SHOWN):
            text = getattr(part, name, None)
            if isinstance(text, str) and text and text != argparse.SUPPRESS:
                setattr(part, name, texts.gettext(text))
        if lang == "fr" and getattr(part, "title", None):
            part.title += "\u202f"  # `argparse` adds the colon
        if _placeholders(part):
            part.metavar = ",".join(
                texts.pgettext(PLACEHOLDER, word) if word.isalpha() else word
                for word in part.metavar.split(",")
            )


@contextmanager
def argparse_speaking(lang: str) -> Iterator[None]:
    """Let `argparse` write its own words in a language within a block."""
    if lang == "en":
        yield
        return
    texts = catalogue("help", lang)
    own = vars(argparse)
    before = {name: own[name] for name in ("_", "ngettext")}
    own.update({"_": texts.gettext, "ngettext": texts.ngettext})
    try:
        yield
    finally:
        own.update(before)


def _parts(parser: argparse.ArgumentParser) -> Iterator[Any]:
    """Yield a parser, its groups and options, and the same of each command."""
    yield parser
    # `argparse` has no public way to the parts of a parser.
    yield from vars(parser)["_action_groups"]
    for action in vars(parser)["_actions"]:
        yield action
        if isinstance(action, argparse._SubParsersAction):
            yield from vars(action)["_choices_actions"]
            for command in action.choices.values():
                yield from _parts(command)


def _placeholders(part: Any) -> list[str]:
    """Return the words that stand for the value of an option."""
    is_command = type(part).__name__ == "_ChoicesPseudoAction"
    metavar = getattr(part, "metavar", None)
    if is_command or not isinstance(metavar, str):
        return []
    return [word for word in metavar.split(",") if word.isalpha() and len(word) > 1]
