"""Values of options: counts, seeds, capacities and rates as texts."""

from __future__ import annotations

import argparse
import math

from smartrisk.cli._messages import render_message
from smartrisk.errors import Message
from smartrisk.schema import CHANNELS


def parse_count(text: str) -> int:
    """Return a number of at least 1."""
    return parse_integer(text, low=1)


def parse_seed(text: str) -> int:
    """Return a number of at least 0."""
    return parse_integer(text, low=0)


def parse_seconds(text: str) -> float:
    """Return a number of seconds, at least a tenth."""
    try:
        number = float(text)
    except ValueError:
        number = 0.0
    if not 0.1 <= number < math.inf:
        raise _refusal(
            Message(
                "cli.not_seconds",
                "must be a number of seconds of at least 0.1; got {text!r}",
                text=text,
            )
        )
    return number


def parse_integer(text: str, *, low: int) -> int:
    """Return an integer of at least `low`."""
    try:
        number = int(text)
    except ValueError:
        number = None
    if number is None or number < low:
        raise _refusal(
            Message(
                "cli.not_integer",
                "must be an integer of at least {low}; got {text!r}",
                low=low,
                text=text,
            )
        )
    return number


def parse_capacity(text: str) -> float | int:
    """Return the capacity that 0.05, 5% or 40 stands for."""
    word = text.strip()
    try:
        if word.endswith("%"):
            return float(word[:-1]) / 100.0
        return int(word) if word.isdigit() else float(word)
    except ValueError:
        raise _refusal(
            Message(
                "cli.not_capacity",
                "must be a share (0.05 or 5%) or a number of items (40); got {text!r}",
                text=text,
            )
        ) from None


def parse_rates(text: str) -> tuple[float | int, ...]:
    """Return the inspection rates of a comma-separated text."""
    if not text.strip():
        raise _refusal(Message("cli.no_rate", "give at least one inspection rate."))
    return tuple(parse_capacity(word) for word in text.split(","))


def parse_channels(text: str) -> dict[str, str]:
    """Return the names that an administration gives to channels: ``yellow=orange``."""
    names = {}
    for part in text.split(","):
        channel, sign, name = (word.strip() for word in part.partition("="))
        if channel not in CHANNELS or not sign or not name:
            raise _refusal(
                Message(
                    "cli.not_channels",
                    "must be names of channels such as {example}, each after one of "
                    "{channels}; got {text!r}",
                    example="yellow=orange,red=rouge",
                    channels=", ".join(CHANNELS),
                    text=part.strip(),
                )
            )
        names[channel] = name
    return names


def _refusal(message: Message) -> argparse.ArgumentTypeError:
    """Return what `argparse` shows of a value that cannot be used."""
    return argparse.ArgumentTypeError(render_message(message))
