"""Notebooks of a class in a kernel, as learners run them.

The notebooks of a language share one kernel, which is cleared before each of them, so
that world and engine of the seat are made once for a language: that is what a kernel
for each would spend most of its time on. Names of one notebook never reach the next.
"""

from __future__ import annotations

import re

import pytest

from smartrisk.languages import LANGUAGES
from smartrisk.workshop import Lab, check, write
from smartrisk.workshop._lab import read_seat
from smartrisk.workshop._sources import list_labs
from smartrisk.workshop.tasks import list_tasks

#: Three kernels, each with a world and an engine: a minute.
pytestmark = pytest.mark.slow
#: Language in which the trainer's copies are run too.
SOLVED = "fr"
_CHECK = re.compile(r'^sr\.workshop\.check\("(\d+\.\d+)"\)', re.MULTILINE)


@pytest.fixture
def run_notebooks(root, monkeypatch):
    """Return what runs notebooks one after the other and yields each with its file."""
    from nbclient import NotebookClient
    from nbformat import NO_CONVERT, read, v4

    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("PYTHONPATH", str(root))

    def run(files):
        client = NotebookClient(
            v4.new_notebook(), kernel_name="python3", timeout=600, allow_errors=False
        )
        with client.setup_kernel():
            for file in files:
                client.nb = read(file, NO_CONVERT)
                start = f"%reset -f\n%cd -q {file.parent}"
                client.nb.cells.insert(0, v4.new_code_cell(start))
                for index, cell in enumerate(client.nb.cells):
                    client.execute_cell(cell, index)
                yield file, client.nb

    return run


def shown_by_checks(notebook):
    """Return what the check of each task shows, by the task."""
    shown = {}
    for cell in notebook.cells:
        found = _CHECK.search(cell.source) if cell.cell_type == "code" else None
        if found:
            (output,) = cell.outputs
            shown[found[1]] = output["data"]["text/plain"]
    return shown


def errors_of(notebook):
    """Return what a notebook writes to the stream of errors."""
    outputs = (o for cell in notebook.cells for o in cell.get("outputs", ()))
    return [o for o in outputs if o.get("name") == "stderr" or o.output_type == "error"]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_notebooks_run_to_their_end(tmp_path, run_notebooks, lang):
    """Untouched ones say "not yet" in their language; the trainer's are right."""
    solved = lang == SOLVED
    files = write(tmp_path / "class", lang=lang, seed=7, seat=3, trainer=solved)
    notebooks = [file for file in files if file.suffix == ".ipynb"]
    assert len(notebooks) == len(list_labs()) * (2 if solved else 1)
    seat, seen = read_seat(tmp_path / "class"), {False: set(), True: set()}
    for file, notebook in run_notebooks(notebooks):
        of_trainer = file.parent.name == "answers"
        for task, text in shown_by_checks(notebook).items():
            seen[of_trainer].add(task)
            if of_trainer:
                assert text.startswith(f"✓ {task} "), (file.name, text)
            else:
                lab = Lab(int(task.partition(".")[0]), seat)
                assert text == repr(check(task, None, lab=lab)), file.name
        assert errors_of(notebook) == [], file.name
    assert seen[False] == set(list_tasks())
    assert seen[True] == (set(list_tasks()) if solved else set())
