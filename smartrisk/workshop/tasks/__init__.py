"""The tasks of the labs: a module for each lab, which lists its own."""

from __future__ import annotations

from importlib import import_module
from pkgutil import iter_modules

from smartrisk.errors import ArgumentError, suggest_nearest
from smartrisk.workshop._verdicts import Task


def list_tasks() -> dict[str, Task]:
    """Return every task by its id, in the order of the labs."""
    modules = sorted(
        module.name for module in iter_modules(__path__) if module.name[:4] == "lab_"
    )
    tasks = [
        task for name in modules for task in import_module(f"{__name__}.{name}").TASKS
    ]
    return {task.id: task for task in tasks}


def find_task(name: object) -> Task:
    """Return a task by its id, or raise an error that names the nearest one."""
    tasks = list_tasks()
    key = str(name)
    if key not in tasks:
        raise ArgumentError(
            "workshop.unknown_task",
            "there is no task {name!r}.{suggestion} The tasks are {known}.",
            name=key,
            suggestion=suggest_nearest(key, tasks),
            known=", ".join(tasks),
        )
    return tasks[key]
