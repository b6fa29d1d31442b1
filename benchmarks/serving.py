"""Requests a second of `smartrisk serve` beside MLflow's server, and a long soak.

    python benchmarks/serving.py compare --old ../tree-of-63cc7ee
    python benchmarks/serving.py soak --minutes 10

`compare` serves one engine in three ways: by ``smartrisk serve``, and by
``mlflow models serve`` with the pyfunc of this tree and with that of another one (a git
worktree, whose own code fits and logs the engine). Clients are processes of their own
that send one item as JSON on a connection that stays open. `soak` mixes requests of
one and of several items while another engine is saved over the folder every 20 s; it
fails where a request fails, or where the memory of the service grows from its first
quarter to its end. Both write benchmarks/results/serving_*.csv and the same tables in
docs/tables.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import itertools
import json
import multiprocessing
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil

ROOT = Path(__file__).resolve().parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TABLES = ROOT / "docs" / "tables"
#: Seconds until a server has to answer: MLflow takes half a minute on a busy machine.
START = 300
JSON = {"Content-Type": "application/json"}
#: A service may keep this much more memory at its end than at its first quarter.
MOST_GROWTH = 1.10

MAKE = """
import sys, warnings
warnings.simplefilter("ignore")
import smartrisk as sr
n_items, folder = int(sys.argv[1]), sys.argv[2]
world = sr.datasets.make_declarations(n_items, random_state=0, scenario="small")
split = sr.windows.time_split(world.declarations, world.outcomes)
engine = sr.RiskEngine(random_state=0, n_jobs=1).fit(split.past, split.known)
engine.save(folder + "/engine")
split.later.tail(200).to_parquet(folder + "/new.parquet")
if sys.argv[3] == "logged":
    run = sr.tracking.log_run(engine, tracking_uri=folder + "/store")
    from pathlib import Path
    print(next(Path(folder, "store").rglob("MLmodel")).parent)
"""


def make_engine(n_items, folder, tree, *, logged):
    """Fit, save and log an engine by the code of a tree; return the model's folder."""
    done = subprocess.run(
        [sys.executable, "-c", MAKE, str(n_items), folder, "logged" if logged else ""],
        env=environment(tree),
        capture_output=True,
        text=True,
        check=False,
        cwd=folder,
    )
    if done.returncode:
        raise SystemExit(done.stderr)
    return done.stdout.strip().splitlines()[-1] if logged else None


def environment(tree):
    """Return the variables of a process that runs the code of a tree."""
    own = {"PYTHONPATH": str(tree), "OMP_NUM_THREADS": "1"}
    own |= {"OMP_WAIT_POLICY": "PASSIVE", "MLFLOW_DISABLE_TELEMETRY": "true"}
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return {**os.environ, **own, "PATH": path}


def as_records(items):
    """Return items as a client's JSON has them."""
    return json.loads(items.to_json(orient="records", date_format="iso"))


def find_port():
    """Return a port that is free."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


@contextlib.contextmanager
def serving(command, tree, port, path):
    """Run a server until the block ends; yield its process."""
    process = subprocess.Popen(
        command,
        env=environment(tree),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=tempfile.mkdtemp(),
        start_new_session=True,
    )
    try:
        wait_until_ready(process, port, path)
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()


def wait_until_ready(process, port, path):
    """Ask until the server answers."""
    end = time.monotonic() + START
    while time.monotonic() < end and process.poll() is None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            with contextlib.closing(connection):
                connection.request("GET", path)
                if connection.getresponse().status == 200:
                    return
        time.sleep(0.5)
    raise SystemExit("the server did not start")


# ----------------------------------------------------------------- compare


def ask_often(port, path, bodies, seconds, answers):
    """Send bodies one after the other for some seconds; put the times of each."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    times, failed = [], 0
    end = time.monotonic() + seconds
    for body in itertools.cycle(bodies):
        start = time.perf_counter()
        connection.request("POST", path, body, JSON)
        answer = connection.getresponse()
        answer.read()
        times.append(time.perf_counter() - start)
        failed += answer.status != 200
        if time.monotonic() > end:
            break
    answers.put((times, failed))


def measure(port, path, bodies, n_clients, seconds):
    """Return requests a second and percentiles at a number of clients."""
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    given = (port, path, bodies, seconds, answers)
    clients = [spawn.Process(target=ask_often, args=given) for _ in range(n_clients)]
    for client in clients:
        client.start()
    found = [answers.get() for _ in clients]
    for client in clients:
        client.join()
    times = np.concatenate([part for part, _ in found]) * 1e3
    rate = sum(len(part) / sum(part) for part, _ in found)
    return {
        "clients": n_clients,
        "requests": len(times),
        "failed": sum(failed for _, failed in found),
        "requests_per_second": rate,
        "p50_ms": float(np.percentile(times, 50)),
        "p99_ms": float(np.percentile(times, 99)),
    }


def compare(options):
    """Measure the three servers one after the other, and write the tables."""
    here, old = tempfile.mkdtemp(), tempfile.mkdtemp()
    model = make_engine(options.items, here, ROOT, logged=True)
    items = pd.read_parquet(f"{here}/new.parquet")
    items = items[[n for n in items if not n.startswith("dq_")]]
    records = as_records(items)
    plain = [json.dumps(record) for record in records]
    wrapped = [json.dumps({"dataframe_records": [record]}) for record in records]
    program = [sys.executable, "-m", "smartrisk", "serve", f"{here}/engine", "--port"]
    mlflow = ["mlflow", "models", "serve", "--env-manager", "local", "-m"]
    servers = {
        "smartrisk serve": (program, ROOT, "/score", plain, "/health"),
        "MLflow, this pyfunc": ([*mlflow, model, "-p"], ROOT, *MLFLOW, wrapped),
    }
    if options.old:
        past = make_engine(options.items, old, options.old, logged=True)
        name = f"MLflow, pyfunc of {options.old_name}"
        servers[name] = ([*mlflow, past, "-p"], options.old, *MLFLOW, wrapped)
    rows = []
    for _ in range(options.rounds):
        for name, (words, tree, *rest) in servers.items():
            path, bodies, health = arrange(*rest)
            port = find_port()
            with serving([*words, str(port)], tree, port, health):
                measure(port, path, bodies, 1, 2)  # warms up
                for n_clients in (1, 8):
                    row = measure(port, path, bodies, n_clients, options.seconds)
                    rows.append({"server": name, **row})
                    print(rows[-1], flush=True)
    table = pd.DataFrame(rows).groupby(["server", "clients"], sort=False).median()
    table = table.reset_index()
    ours = table[table["server"] == "smartrisk serve"].set_index("clients")
    rate = ours["requests_per_second"].loc[table["clients"]].to_numpy()
    table["ratio"] = rate / table["requests_per_second"]
    write(table, "serving_speed")
    if table["failed"].any():
        raise SystemExit("requests failed")


#: Where MLflow's server answers, and where it states that it does.
MLFLOW = ("/invocations", "/ping")


def arrange(path, second, third):
    """Return path, bodies and path of health of a server, in that order."""
    return (path, second, third) if isinstance(second, list) else (path, third, second)


# -------------------------------------------------------------------- soak


def soak_client(port, calls, end, answers):
    """Send mixed requests until a time; put how many, how many failed, the slowest."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    n_done, failed, slowest = 0, [], 0.0
    for path, body in itertools.cycle(calls):
        if time.time() > end:
            break
        start = time.perf_counter()
        try:
            connection.request("POST", path, body, JSON)
            answer = connection.getresponse()
            content = answer.read()
            if answer.status != 200:
                failed.append(f"{path}: {answer.status} {content[:200]!r}")
        except (OSError, http.client.HTTPException) as error:
            failed.append(f"{path}: {error!r}")
            connection.close()
        n_done += 1
        slowest = max(slowest, time.perf_counter() - start)
    answers.put((n_done, failed, slowest))


def memory_of(process):
    """Return the memory that the processes of a service hold, MB."""
    parts = [process, *process.children(recursive=True)]
    return sum(part.memory_info().rss for part in parts) / 1e6


def soak(options):
    """Mix requests while engines are exchanged; write what failed and what grew."""
    import smartrisk as sr

    here = tempfile.mkdtemp()
    make_engine(options.items, here, ROOT, logged=False)
    items = pd.read_parquet(f"{here}/new.parquet")
    folder = f"{here}/engine"
    first = sr.RiskEngine.load(folder)
    engines = [first, first.copy().update(items.iloc[100:150])]
    records = as_records(items[[n for n in items if not n.startswith("dq_")]])
    calls = [("/score", json.dumps(record)) for record in records[:20]]
    calls += [("/explain", json.dumps(record)) for record in records[:5]]
    calls.append(("/score", json.dumps(records[:50])))
    calls.append(("/select?capacity=0.1", json.dumps(records[:50])))
    port = find_port()
    words = ["serve", folder, "--port", str(port), "--workers", str(options.workers)]
    command = [sys.executable, "-m", "smartrisk", *words, "--timeout", "120"]
    spawn = multiprocessing.get_context("spawn")
    answers = spawn.Queue()
    with serving(command, ROOT, port, "/health") as process:
        watched = psutil.Process(process.pid)
        start = time.time()
        end = start + 60 * options.minutes
        given = (port, calls, end, answers)
        clients = [spawn.Process(target=soak_client, args=given) for _ in range(4)]
        for client in clients:
            client.start()
        sizes, n_reloads = [], 0
        while time.time() < end:
            time.sleep(max(min(options.every, end - time.time()), 0.1))
            n_reloads += 1
            engines[n_reloads % 2].save(folder)
            sizes.append((time.time() - start, memory_of(watched)))
        found = [answers.get() for _ in clients]
        for client in clients:
            client.join()
    failed = [text for _, part, _ in found for text in part]
    quarter = [size for when, size in sizes if when >= 15 * options.minutes]
    row = {
        "minutes": options.minutes,
        "workers": options.workers,
        "requests": sum(n for n, _, _ in found),
        "failed": len(failed),
        "engines_saved": n_reloads,
        "slowest_s": max(slowest for _, _, slowest in found),
        "rss_first_quarter_mb": quarter[0],
        "rss_end_mb": sizes[-1][1],
        "rss_highest_mb": max(size for _, size in sizes),
    }
    write(pd.DataFrame([row]), "serving_soak")
    print("\n".join(failed[:10]))
    if failed or row["rss_end_mb"] > MOST_GROWTH * row["rss_first_quarter_mb"]:
        raise SystemExit("requests failed, or memory grew")


def write(table, name):
    """Write a table as CSV and as Markdown."""
    table = table.round(2)
    RESULTS.mkdir(exist_ok=True)
    table.to_csv(RESULTS / f"{name}.csv", index=False, lineterminator="\n")
    head = [column.replace("_", " ") for column in table]
    rows = [[str(value) for value in row] for row in table.to_numpy(object).tolist()]
    lines = [
        "| " + " | ".join(row) + " |" for row in [head, ["---"] * len(head), *rows]
    ]
    text = "\n".join(lines) + "\n"
    (TABLES / f"{name}.md").write_text(text, encoding="utf-8")
    print(text, flush=True)


def main():
    """Run one of the two."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parts = parser.add_subparsers(dest="part", required=True)
    part = parts.add_parser("compare")
    part.add_argument("--items", type=int, default=20_000)
    part.add_argument("--old", help="a tree of this project, at another commit")
    part.add_argument("--old-name", default="63cc7ee")
    part.add_argument("--seconds", type=float, default=10.0)
    part.add_argument("--rounds", type=int, default=1)
    part.set_defaults(run=compare)
    part = parts.add_parser("soak")
    part.add_argument("--items", type=int, default=20_000)
    part.add_argument("--minutes", type=float, default=10.0)
    part.add_argument("--every", type=float, default=20.0)
    part.add_argument("--workers", type=int, default=1)
    part.set_defaults(run=soak)
    options = parser.parse_args()
    options.run(options)


if __name__ == "__main__":
    main()
