"""Run named tests on edited copies of the package, each in a forked child.

Importing pandas, scikit-learn and LightGBM takes seconds; a child that is forked after
these imports starts within milliseconds. The package itself is imported in the child,
from the edited copy.

Reads one JSON object per line from standard input (``folder``, ``tests``, ``output``),
writes the exit status of pytest, one line per request.
"""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import signal
import sys
import traceback

#: What the tests import in any case; none starts a thread on import.
PRELOADED = (
    "hypothesis.strategies",
    "jinja2",
    "joblib",
    "lightgbm",
    "matplotlib.figure",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "pytest",
    "scipy.stats",
    "sklearn.base",
    "sklearn.metrics",
    "sklearn.utils.estimator_checks",
)

#: Seconds until a child is ended: the slowest tests of a mutant take about 15, and an
#: edit that makes a loop endless must not stop the whole run.
LONGEST = 240


def run_tests(folder: str, tests: list[str], output: str) -> int:
    """Run pytest in this process, in a folder that holds a copy of the package."""
    import pytest

    os.chdir(folder)
    sys.path.insert(0, folder)
    os.environ["PYTHONPATH"] = folder  # for processes that a test starts
    # Options and workers of the outer run. Under CI pytest explains a failed comparison
    # in full, which takes minutes for two pages of HTML; only the failure counts here.
    for name in [n for n in os.environ if n.startswith("PYTEST") or n == "CI"]:
        del os.environ[name]
    # Loading all plugins takes longer than most of these tests; none needs one.
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    with open(output, "w", encoding="utf-8") as stream:  # noqa: SIM117
        with contextlib.redirect_stdout(stream), contextlib.redirect_stderr(stream):
            options = ["-x", "-q", "--tb=line", "-p", "no:cacheprovider"]
            options += ["--assert=plain"]
            options += ["-o", "addopts=--import-mode=importlib"]
            return int(pytest.main([*options, *tests]))


def main() -> None:
    """Answer requests until standard input ends."""
    for name in PRELOADED:
        importlib.import_module(name)
    for line in sys.stdin:
        request = json.loads(line)
        child = os.fork()
        if child == 0:
            signal.alarm(LONGEST)  # the child ends, its status is no failed test
            status = 70  # an error of this file, as sysexits.h has it
            try:
                status = run_tests(**request)
            except BaseException:
                traceback.print_exc()
            os._exit(status)
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
