"""The parser, and what happens when something goes wrong."""

from __future__ import annotations

import argparse
import importlib
import os
import sys
import warnings
from collections.abc import Sequence
from typing import Any

from smartrisk import __version__
from smartrisk.cli._terminal import complain
from smartrisk.errors import ArgumentError, SmartRiskError, SmartRiskWarning
from smartrisk.languages import LANGUAGES

_EXIT_USER = 2
_COLUMNS = "how the file's columns are called: a TOML file, or kcs, date, asycuda"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, default=None
        Words after ``smartrisk``; None for those of the process.

    Returns
    -------
    status : int
        0 when done, 1 when a check found failures, 2 when the request cannot be met
        (with one message on standard error).

    Examples
    --------
    >>> from smartrisk.cli import main
    >>> main(["generate", "--items", "0", "--out", "world"])
    2
    """
    asked = _parser().parse_args(arguments)
    # Waiting threads that spin cost a hundredfold on small, busy machines.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always", SmartRiskWarning)
            warnings.showwarning = _show_warning
            status = _run(asked)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has gone; Python must not complain at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        complain("stopped.")
        return 130
    except SmartRiskError as error:
        complain(f"error: {error}")
        return _EXIT_USER
    except OSError as error:
        place = f": {error.filename!r}" if error.filename else ""
        complain(f"error: {error.strerror or error}{place}.")
        return _EXIT_USER
    return status


def _run(asked: argparse.Namespace) -> int:
    """Load the room of the command only now, and run it."""
    module = importlib.import_module(f"smartrisk.cli.{asked.module}")
    return int(getattr(module, asked.command)(asked) or 0)


def _show_warning(
    message: Warning | str, category: type[Warning], *_: Any, **__: Any
) -> None:
    if issubclass(category, UserWarning):
        complain(f"warning: {message}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="smartrisk",
        description="Customs declaration risk scoring, from a table of declarations to "
        "an explained selection and an honest evaluation.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}"
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for add in (
        _add_demo,
        _add_generate,
        _add_validate,
        _add_fit,
        _add_score,
        _add_explain,
        _add_select,
        _add_evaluate,
        _add_report,
        _add_benchmark,
    ):
        add(commands)
    return parser


def _command(commands: Any, name: str, about: str, module: str = "_commands") -> Any:
    parser = commands.add_parser(name, help=about, description=about)
    parser.set_defaults(module=module)
    return parser


def _add_demo(commands: Any) -> None:
    parser = _command(
        commands, "demo", "see everything on made-up declarations", "_demo"
    )
    parser.add_argument("--items", type=_count, default=30_000, metavar="N")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N")
    parser.add_argument("--out", default="smartrisk-demo", metavar="FOLDER")


def _add_generate(commands: Any) -> None:
    parser = _command(commands, "generate", "write a made-up world with its truth")
    parser.add_argument("--items", type=int, default=10_000, metavar="N")
    parser.add_argument("--scenario", default="national", metavar="NAME")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument("--format", choices=("parquet", "csv"), default="parquet")


def _add_validate(commands: Any) -> None:
    parser = _command(commands, "validate", "check a file; report every failure")
    parser.add_argument("file", metavar="FILE", help="CSV or Parquet")
    parser.add_argument(
        "--table", choices=("declarations", "outcomes"), default="declarations"
    )
    parser.add_argument("--columns", metavar="MAP", help=_COLUMNS)
    parser.add_argument("--report", metavar="FILE", help="write all failures as CSV")
    parser.add_argument("--out", metavar="FILE", help="write the canonical table")


def _add_fit(commands: Any) -> None:
    parser = _command(commands, "fit", "learn from declarations and results")
    _add_data(parser, with_outcomes=True, part="train")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the engine")
    parser.add_argument("--label-delay", type=int, default=30, metavar="DAYS")
    parser.add_argument("--seed", type=_seed, default=0, metavar="N")
    parser.add_argument(
        "--track",
        nargs="?",
        const="",
        metavar="URI",
        help="also log an MLflow run, in the local store or at an address",
    )


def _add_score(commands: Any) -> None:
    parser = _command(commands, "score", "score declarations")
    _add_engine(parser)
    _add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument("--out", metavar="FILE", help="write all scores")
    parser.add_argument("--show", type=_count, default=10, metavar="N")


def _add_explain(commands: Any) -> None:
    parser = _command(commands, "explain", "say why the riskiest items are risky")
    _add_engine(parser)
    _add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument("--show", type=_count, default=5, metavar="N", help="items")
    parser.add_argument("--top", type=_count, default=3, metavar="N", help="reasons")
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    parser.add_argument("--out", metavar="FILE", help="write reasons: .csv or .html")


def _add_select(commands: Any) -> None:
    parser = _command(commands, "select", "choose what to inspect under a capacity")
    _add_engine(parser)
    _add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument(
        "--capacity",
        type=_capacity,
        default=0.05,
        metavar="K",
        help="a share (0.05 or 5%%) or a number of items (40); default 0.05",
    )
    parser.add_argument("--out", metavar="FILE", help="write all decisions")
    parser.add_argument("--show", type=_count, default=10, metavar="N")


def _add_evaluate(commands: Any) -> None:
    parser = _command(commands, "evaluate", "judge an engine by results")
    _add_engine(parser)
    _add_data(parser, with_outcomes=True, part="valid")
    parser.add_argument(
        "--rates",
        type=_rates,
        default=(0.01, 0.02, 0.05, 0.10),
        metavar="R,R,...",
        help="inspection rates; default 0.01,0.02,0.05,0.10",
    )
    parser.add_argument("--out", metavar="FILE", help="write the table as CSV")


def _add_report(commands: Any) -> None:
    parser = _command(commands, "report", "write pages for officers", "_report")
    _add_engine(parser)
    _add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument("--past", metavar="FILE", help="earlier declarations")
    parser.add_argument("--outcomes", metavar="FILE", help="results, early or late")
    parser.add_argument(
        "--outcome-columns", metavar="MAP", help="as --columns, for the outcomes"
    )
    parser.add_argument("--capacity", type=_capacity, default=0.05, metavar="K")
    parser.add_argument("--cases", type=_count, default=3, metavar="N", help="sheets")
    parser.add_argument("--lang", choices=LANGUAGES, default="en")
    parser.add_argument("--out", required=True, metavar="FOLDER")


def _add_benchmark(commands: Any) -> None:
    parser = _command(
        commands, "benchmark", "compare with the field's methods", "_benchmark"
    )
    parser.add_argument("--quick", action="store_true", help="two scenarios, small")
    parser.add_argument("--scenarios", metavar="NAME,NAME", help="default: all")
    parser.add_argument("--items", type=_count, default=60_000, metavar="N")
    parser.add_argument("--seeds", type=_count, default=5, metavar="N")
    parser.add_argument("--kcs", metavar="PATH", help="the Korean set besides")
    parser.add_argument("--out", metavar="FILE", help="write the page as Markdown")


def _add_engine(parser: Any) -> None:
    parser.add_argument("--engine", required=True, metavar="FOLDER")


def _add_data(parser: Any, *, with_outcomes: bool, part: str) -> None:
    """Add the files to read: an administration's own, or the Korean set."""
    if with_outcomes:
        parser.add_argument("--declarations", metavar="FILE", help="CSV or Parquet")
        parser.add_argument("--outcomes", metavar="FILE", help="CSV or Parquet")
        parser.add_argument(
            "--outcome-columns", metavar="MAP", help="as --columns, for the outcomes"
        )
    else:
        parser.add_argument(
            "declarations", nargs="?", metavar="FILE", help="CSV or Parquet"
        )
    parser.add_argument("--columns", metavar="MAP", help=_COLUMNS)
    parser.add_argument(
        "--on-error",
        choices=("raise", "set_aside"),
        default="raise",
        help="stop at unusable rows, or leave them out and count them",
    )
    parser.add_argument("--kcs", metavar="PATH", help="the Korean set instead of files")
    parser.add_argument("--part", choices=("train", "valid"), default=part)


def _count(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"must be at least 1; got {text}")
    return number


def _seed(text: str) -> int:
    number = int(text)
    if number < 0:
        raise argparse.ArgumentTypeError(f"must be 0 or more; got {text}")
    return number


def _capacity(text: str) -> float | int:
    """Read 0.05, 5% or 40."""
    word = text.strip()
    try:
        if word.endswith("%"):
            return float(word[:-1]) / 100.0
        return int(word) if word.isdigit() else float(word)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"must be a share (0.05 or 5%) or a number of items (40); got {text!r}"
        ) from None


def _rates(text: str) -> tuple[float | int, ...]:
    if not text.strip():
        raise ArgumentError(
            "cli.rates_give_inspection_rate",
            "--rates: give at least one inspection rate.",
        )
    return tuple(_capacity(word) for word in text.split(","))
