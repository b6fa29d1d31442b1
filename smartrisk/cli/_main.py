"""The parser of the command line, and what happens when a request cannot be met."""

from __future__ import annotations

import argparse
import importlib
import inspect
import os
import sys
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from smartrisk import __version__
from smartrisk.cli._help import (
    Parser,
    argparse_speaking,
    asked_language,
    translate_parser,
)
from smartrisk.cli._messages import (
    find_language,
    render_message,
    render_warning,
    speaking,
)
from smartrisk.cli._option_values import (
    parse_capacity,
    parse_channels,
    parse_count,
    parse_rates,
    parse_seed,
)
from smartrisk.cli._parsers import (
    COLUMNS,
    FILE,
    Commands,
    add_command,
    add_data,
    add_engine,
    add_guard,
    add_header,
    add_language,
    add_level,
)
from smartrisk.cli._readiness_options import add_readiness
from smartrisk.cli._record_options import (
    add_champions,
    add_digest,
    add_ledger,
    add_lineage,
    add_register,
    add_rollback,
    add_sign,
)
from smartrisk.cli._serve_options import add_serve
from smartrisk.cli._statistics_options import add_statistics
from smartrisk.cli._terminal import print_error
from smartrisk.cli._usecase_options import add_usecase
from smartrisk.cli._workshop_options import add_workshop, name_action
from smartrisk.errors import Message, SmartRiskError, SmartRiskWarning
from smartrisk.languages import N_, catalogue

_EXIT_USER = 2
_ERROR, _WARNING = N_("error: {text}"), N_("warning: {text}")
#: What shells report for a process that ended by an interrupt: 128 + SIGINT.
_EXIT_INTERRUPTED = 130
#: Options that make up `DataFiles`; commands with files take them as one argument.
_DATA_OPTIONS = (
    "declarations",
    "outcomes",
    "columns",
    "outcome_columns",
    "header",
    "on",
    "level",
    "on_error",
    "kcs",
    "part",
)


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
    >>> import tempfile
    >>> from smartrisk.cli import main
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     status = main(["generate", "--items", "0", "--out", folder])
    >>> status
    2
    """
    words = sys.argv[1:] if arguments is None else list(arguments)
    spoken = find_language(asked_language(words), os.environ)
    with speaking(spoken), argparse_speaking(spoken):
        options = _parse(words, spoken)
    # Waiting threads that spin cost a factor of 100 on small, busy machines.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    lang = options["lang"] = find_language(options.get("lang"), os.environ)
    try:
        with warnings.catch_warnings(), speaking(lang):
            warnings.simplefilter("always", SmartRiskWarning)
            warnings.showwarning = _make_warning_printer(lang)
            status = _run_command(options)
        sys.stdout.flush()
    except BrokenPipeError:
        # The reader (head, less) has closed the pipe; without this, Python would print
        # an error when it flushes standard output at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print_error(render_message(Message("cli.stopped", "stopped."), lang))
        return _EXIT_INTERRUPTED
    except SmartRiskError as error:
        print_error(_name_severity(_ERROR, render_message(error, lang), lang))
        return _EXIT_USER
    except OSError as error:
        path = f": {error.filename!r}" if error.filename else ""
        text = f"{error.strerror or error}{path}."
        print_error(_name_severity(_ERROR, text, lang))
        return _EXIT_USER
    return status


def _parse(arguments: Sequence[str], lang: str) -> dict[str, Any]:
    """Return the options of a command; files may stand on both sides of an option."""
    parser = make_parser()
    translate_parser(parser, lang)
    found, rest = parser.parse_known_args(name_action(arguments))
    options = vars(found)
    takes_files = isinstance(options.get("files"), list)
    if rest and (not takes_files or any(word.startswith("-") for word in rest)):
        text = catalogue("help", lang).gettext("unrecognized arguments: %s")
        parser.error(text % " ".join(rest))
    if rest:
        options["files"] = [*options["files"], *rest]
    return options


def _name_severity(template: str, text: str, lang: str) -> str:
    """Return a text after the word for an error or a warning."""
    return render_message(Message("cli.severity", template, text=text), lang)


def _run_command(options: dict[str, Any]) -> int:
    """Load the module of a command, and call it with its options by name."""
    options = dict(options)
    module = importlib.import_module(f"smartrisk.cli.{options.pop('module')}")
    command = getattr(module, options.pop("command"))
    if "lang" not in inspect.signature(command).parameters:
        del options["lang"]
    # Loaded here: `smartrisk --help` must not load pandas.
    if "engine" in options:
        from smartrisk.cli._engines import EngineAddress

        address, uri = options["engine"], options.pop("tracking_uri")
        place = address and EngineAddress(address=address, tracking_uri=uri)
        options["engine"] = place
    if not options.pop("has_data"):
        return int(command(**options))
    from smartrisk.cli._files import DataFiles

    files = {name: options.pop(name) for name in _DATA_OPTIONS if name in options}
    return int(command(DataFiles(**files), **options))


def _make_warning_printer(lang: str) -> Callable[..., None]:
    """Return a function that prints warnings for users in one line."""

    def print_warning(
        message: Warning | str, category: type[Warning], *_: Any, **__: Any
    ) -> None:
        if issubclass(category, UserWarning):
            text = render_warning(message, lang)
            print_error(_name_severity(_WARNING, text, lang))

    return print_warning


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of all commands, in English."""
    parser: argparse.ArgumentParser = Parser(
        prog="smartrisk",
        description="Customs declaration risk scoring, from a table of declarations to "
        "an explained selection and an honest evaluation.",
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {__version__}"
    )
    add_language(parser)
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    for add in (
        _add_demo,
        _add_generate,
        _add_map,
        _add_profile,
        _add_validate,
        add_readiness,
        add_statistics,
        _add_fit,
        _add_score,
        _add_explain,
        _add_select,
        _add_evaluate,
        _add_report,
        _add_benchmark,
        add_register,
        add_rollback,
        add_champions,
        add_digest,
        add_sign,
        add_ledger,
        add_lineage,
        add_serve,
        add_workshop,
        add_usecase,
    ):
        add(commands)
    return parser


def _add_demo(commands: Commands) -> None:
    """Add the command `demo`."""
    parser = add_command(
        commands, "demo", "see everything on synthetic declarations", "_demo"
    )
    parser.add_argument("--items", type=parse_count, default=30_000, metavar="N")
    parser.add_argument("--seed", type=parse_seed, default=0, metavar="N")
    parser.add_argument("--out", default="smartrisk-demo", metavar="FOLDER")


def _add_generate(commands: Commands) -> None:
    """Add the command `generate`."""
    parser = add_command(commands, "generate", "write a synthetic world with its truth")
    parser.add_argument("--items", type=int, default=10_000, metavar="N")
    parser.add_argument("--scenario", default="national", metavar="NAME")
    parser.add_argument("--seed", type=parse_seed, default=0, metavar="N")
    parser.add_argument("--out", required=True, metavar="FOLDER")
    parser.add_argument(
        "--format", dest="file_format", choices=("parquet", "csv"), default="parquet"
    )


def _add_map(commands: Commands) -> None:
    """Add the command `map`."""
    parser = add_command(
        commands, "map", "propose the column map of a file, and ask", "_map"
    )
    parser.set_defaults(command="propose")
    parser.add_argument(
        "files", nargs="+", metavar="FILE", help="items; a second file of results"
    )
    add_header(parser)
    parser.add_argument("--out", required=True, metavar="MAP", help="a TOML file")
    parser.add_argument(
        "--no-ask", action="store_true", help="ask nothing, even on a terminal"
    )


def _add_profile(commands: Commands) -> None:
    """Add the command `profile`."""
    parser = add_command(
        commands, "profile", "look at an unknown file for the first time", "_profile"
    )
    parser.add_argument("file", metavar="FILE")
    parser.add_argument("--columns", metavar="MAP", help=COLUMNS)
    parser.add_argument("--out", metavar="PAGE", help="write a page (.html)")


def _add_validate(commands: Commands) -> None:
    """Add the command `validate`."""
    parser = add_command(commands, "validate", "check a file; report every failure")
    parser.add_argument("file", metavar="FILE", help=FILE)
    parser.add_argument(
        "--table", choices=("declarations", "outcomes"), default="declarations"
    )
    parser.add_argument("--columns", metavar="MAP", help=COLUMNS)
    add_header(parser)
    parser.add_argument("--report", metavar="FILE", help="write all failures as CSV")
    parser.add_argument(
        "--fix-list",
        metavar="FILE",
        help="write the rows to correct, .xlsx or .csv, each beside its reason",
    )
    parser.add_argument("--out", metavar="FILE", help="write the canonical table")


def _add_fit(commands: Commands) -> None:
    """Add the command `fit`."""
    parser = add_command(
        commands,
        "fit",
        "fit an engine to declarations, and to results if there are any",
    )
    add_data(parser, with_outcomes=True, part="train")
    parser.add_argument("--out", required=True, metavar="FOLDER", help="the engine")
    parser.add_argument("--label-delay", type=int, default=30, metavar="DAYS")
    parser.add_argument("--seed", type=parse_seed, default=0, metavar="N")
    parser.add_argument(
        "--track",
        nargs="?",
        const="",
        metavar="URI",
        help="also log an MLflow run, in the local store or at an address",
    )


def _add_score(commands: Commands) -> None:
    """Add the command `score`."""
    parser = add_command(commands, "score", "score declarations")
    add_engine(parser)
    add_data(parser, with_outcomes=False, part="valid")
    add_guard(parser)
    parser.add_argument("--out", metavar="FILE", help="write all scores")
    parser.add_argument("--show", type=parse_count, default=10, metavar="N")


def _add_explain(commands: Commands) -> None:
    """Add the command `explain`."""
    parser = add_command(
        commands, "explain", "show why the riskiest items have high scores", "_explain"
    )
    add_engine(parser)
    add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument(
        "--show", type=parse_count, default=5, metavar="N", help="items"
    )
    parser.add_argument(
        "--top", type=parse_count, default=3, metavar="N", help="reasons"
    )
    parser.add_argument("--out", metavar="FILE", help="write reasons: .csv or .html")


def _add_select(commands: Commands) -> None:
    """Add the command `select`."""
    parser = add_command(commands, "select", "choose what to inspect under a capacity")
    add_engine(parser)
    add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument(
        "--capacity",
        type=parse_capacity,
        default=0.05,
        metavar="K",
        help="a share (0.05 or 5%%) or a number of items (40); default 0.05",
    )
    add_guard(parser)
    parser.add_argument("--out", metavar="FILE", help="write all decisions")
    parser.add_argument("--show", type=parse_count, default=10, metavar="N")


def _add_evaluate(commands: Commands) -> None:
    """Add the command `evaluate`."""
    parser = add_command(
        commands, "evaluate", "judge an engine by results", "_evaluate"
    )
    add_engine(parser)
    add_data(parser, with_outcomes=True, part="valid")
    parser.add_argument(
        "--rates",
        type=parse_rates,
        default=(0.01, 0.02, 0.05, 0.10),
        metavar="R,R,...",
        help="inspection rates; default 0.01,0.02,0.05,0.10",
    )
    parser.add_argument("--out", metavar="FILE", help="write the table as CSV")


def _add_report(commands: Commands) -> None:
    """Add the command `report`."""
    parser = add_command(commands, "report", "write pages for officers", "_report")
    add_engine(parser)
    add_data(parser, with_outcomes=False, part="valid")
    parser.add_argument("--past", metavar="FILE", help="earlier declarations")
    parser.add_argument("--outcomes", metavar="FILE", help="results, early or late")
    parser.add_argument(
        "--outcome-columns", metavar="MAP", help="as --columns, for the outcomes"
    )
    add_level(parser)
    parser.add_argument("--capacity", type=parse_capacity, default=0.05, metavar="K")
    parser.add_argument(
        "--cases", type=parse_count, default=3, metavar="N", help="sheets"
    )
    parser.add_argument(
        "--channels",
        type=parse_channels,
        metavar="NAME,NAME",
        help="what you call the channels: CHANNEL=NAME,...",
    )
    parser.add_argument("--currency", metavar="CODE", help="currency of the amounts")
    parser.add_argument("--out", required=True, metavar="FOLDER")


def _add_benchmark(commands: Commands) -> None:
    """Add the command `benchmark`."""
    parser = add_command(
        commands, "benchmark", "compare with other methods", "_benchmark"
    )
    parser.add_argument("--quick", action="store_true", help="two scenarios, small")
    parser.add_argument("--scenarios", metavar="NAME,NAME", help="default: all")
    parser.add_argument("--items", type=parse_count, default=60_000, metavar="N")
    parser.add_argument("--seeds", type=parse_count, default=5, metavar="N")
    parser.add_argument("--kcs", metavar="PATH", help="also run on the Korean set")
    parser.add_argument("--out", metavar="FILE", help="write the page as Markdown")
