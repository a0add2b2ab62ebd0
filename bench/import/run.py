#!/usr/bin/env python3
"""`warifu people import` beside `sqlite3 .import` and `psql \\copy`; see README.md.
usage: run.py ROWS DIR [POSTGRES-URL-OF-A-SERVER]

CPU is user plus system time of the process, for PostgreSQL with that of the server's processes that
served it. RUNS=n sets how often each is run.
"""
import csv
import os
import re
import shutil
import statistics
import subprocess
import sys

ROWS, DIR = int(sys.argv[1]), sys.argv[2]
SERVER = sys.argv[3] if len(sys.argv) > 3 else None
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
WARIFU = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release", "warifu")
RUNS = int(os.environ.get("RUNS", "3"))
TICK = os.sysconf("SC_CLK_TCK")
NAME = "warifu_bench_import"
DATABASE = SERVER and SERVER.rsplit("/", 1)[0] + "/" + NAME


def psql(url, *statements):
    command = ["psql", "-qAtX", url] + [part for s in statements for part in ("-c", s)]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def server_cpu():
    """Seconds of the server's main process and of all its children that have ended."""
    if not SERVER:
        return 0
    backend = psql(SERVER, "select pg_backend_pid(), pg_read_file('postmaster.pid', 0, 20)").split("|")[1]
    with open(f"/proc/{backend.split()[0]}/stat") as f:
        return sum(int(n) for n in f.read().rsplit(")", 1)[1].split()[11:15]) / TICK


def timed(command, postgres):
    """Wall s, CPU s, peak MB of a command."""
    before = server_cpu() if postgres else 0
    out = subprocess.run(["/usr/bin/time", "-f", "time %e %U %S %M"] + command, capture_output=True, text=True)
    found = re.search(r"time (\S+) (\S+) (\S+) (\d+)$", out.stderr.strip())
    if out.returncode:
        raise SystemExit(f"{command}: {out.stderr}")
    wall, user, system, kb = (float(x) for x in found.groups())
    served = server_cpu() - before if postgres else 0
    return wall, user + system + served, kb / 1024, out.stdout.strip().splitlines()


def fresh(postgres):
    shutil.rmtree(os.path.join(DIR, "data"), ignore_errors=True)
    for end in ("", "-wal", "-shm"):
        if os.path.exists(os.path.join(DIR, "rival.db" + end)):
            os.remove(os.path.join(DIR, "rival.db" + end))
    if postgres:
        psql(SERVER, f"drop database if exists {NAME} with (force)", f"create database {NAME}")


def several(name, rows, prepare, command, postgres, runs=RUNS):
    got = []
    for _ in range(runs):
        prepare()
        got.append(timed(command, postgres))
    column = lambda i: [g[i] for g in got]
    spread = lambda xs: f"{statistics.median(xs):.2f} ({min(xs):.2f} to {max(xs):.2f})"
    wall, cpu, peak = (statistics.median(column(i)) for i in range(3))
    print(f"| {name} | {spread(column(0))} | {spread(column(1))} | {rows / cpu:,.0f} | {max(column(2)):.0f} |", flush=True)
    return wall, cpu, max(column(2)), got[-1][3]


def warifu(path, postgres):
    extra = ["--database", DATABASE] if postgres else []
    return [WARIFU, "people", "import", path, "--data", os.path.join(DIR, "data"), "--quiet"] + extra


def measure(rows):
    people = os.path.join(DIR, f"people-{rows}")
    files = {form: os.path.join(people, f"loose.{form}") for form in ("csv", "jsonl", "parquet")}
    if not all(os.path.exists(p) for p in files.values()):
        subprocess.run([sys.executable, os.path.join(ROOT, "bench", "people.py"), str(rows), people, *files], check=True)
    with open(files["csv"], newline="") as f:
        columns = next(csv.reader(f))
    again = os.path.join(DIR, "again.csv")
    shutil.copy(files["csv"], again)
    with open(again, "a") as f:
        f.write("\n")
    sizes = ", ".join(f"{form} {os.path.getsize(p) / 1e6:.0f} MB" for form, p in files.items())
    print(f"\n### {rows:,} people ({sizes}); load average {os.getloadavg()[0]:.1f}\n")
    results = {}
    table = "create table people (" + ", ".join(c + " text" for c in columns) + ")"
    names = "coalesce(full_name,'') || ' ' || coalesce(username,'') || ' ' || coalesce(email,'') || ' ' || coalesce(company_name,'')"
    for postgres in [False] + [True] * bool(SERVER):
        engine = "PostgreSQL" if postgres else "SQLite"
        print(f"| {engine} | wall s, median (least to most) | CPU s | people per CPU s | peak MB |\n|---|---|---|---|---|")
        new = lambda: fresh(postgres)
        for form, path in files.items():
            runs = RUNS if form == "csv" else 1
            result = several(f"warifu, {form}", rows, new, warifu(path, postgres), postgres, runs)
            results[engine, form] = result
        said = " / ".join(result[3][:1])
        results[engine, "again"] = several("warifu, every row known and unchanged", rows, lambda: None, warifu(again, postgres), postgres, 1)
        tool = "psql \\copy" if postgres else "sqlite3 .import"
        if postgres:
            base = ["psql", "-qX", DATABASE, "-v", "ON_ERROR_STOP=1", "-c", table, "-c", f"\\copy people from '{files['csv']}' csv header"]
            like = base + ["-c", "alter table people add id bigserial primary key", "-c", "create index on people (lower(email))",
                           "-c", "create index on people (company_name, id)"]
            search = like + ["-c", f"create table people_search as select id, to_tsvector('simple', {names}) tokens from people",
                             "-c", "create index on people_search using gin (tokens)"]
        else:
            # One session; sqlite3 takes its commands as arguments.
            path = os.path.join(DIR, "rival.db")
            base = ["sqlite3", path, "pragma journal_mode=wal; pragma synchronous=full;", table, ".mode csv",
                    f".import --skip 1 {files['csv']} people"]
            like = base + ["create index a on people (lower(email)); create index b on people (company_name); create index c on people (a_created);"]
            search = like + [f"create virtual table s using fts5(t, content=''); insert into s(rowid, t) select rowid, {names} from people;"]
        for what, command in (("into a bare table", base), ("with like indexes", like), ("with like indexes and word search", search)):
            results[engine, what] = several(f"{tool}, {what}", rows, new, command, postgres)
        mine = results[engine, "csv"]
        ratios = [f"{what}: {mine[0] / r[0]:.1f} wall, {mine[1] / r[1]:.1f} CPU" for what in
                  ("into a bare table", "with like indexes", "with like indexes and word search") for r in [results[engine, what]]]
        print(f"\n- warifu said: {said}\n- warifu's CSV import takes so many times {tool}: " + "; ".join(ratios) + "\n")
    return results


os.makedirs(DIR, exist_ok=True)
small, large = measure(ROWS // 10), measure(ROWS)
print("| from a tenth to all rows, times | wall | CPU | peak memory |\n|---|---|---|---|")
for key in small:
    a, b = small[key], large[key]
    print(f"| {key[0]}, {key[1]} | {b[0] / a[0]:.1f} | {b[1] / a[1]:.1f} | {b[2] / a[2]:.2f} |")
fresh(False)
if SERVER:
    psql(SERVER, f"drop database if exists {NAME} with (force)")
