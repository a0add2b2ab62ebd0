#!/usr/bin/env python3
"""Match against the best that DuckDB can do, on the same machine in one run.

usage: run.py [ROWS,ROWS…] [DATADIR] [strict] [loose]
       (default 1000000,10000000, ./target/bench-people, both)

Needs python3 with duckdb and numpy, and cargo. Prints CPU and wall seconds (median, least, most),
ratios beside their goals, and how both grow with the people. Questions asked of both:
 1. loaded data: which of the filters made of 20 predicates x 32,767 column sets give a size?
    (Who was in it, which Warifu says as well and this question does not ask, is a line of its own.)
    DuckDB: one GROUP BY over the 20 predicates with a byte sum (quoting included) per column, then
    a matrix product (filters x atoms) in numpy; Warifu: `search`, which also solves the sizes.
 2. CSV to answer: DuckDB only reads the file (count(*) with every column forced); Warifu reads it,
    searches all 90 dialects and answers.
The size looked for is that of a filtered report with nine columns, so that most filters have to be
solved; the one of everybody with all columns is searched too.
"""
import itertools
import os
import re
import statistics
import subprocess
import sys
import time
import tomllib

import duckdb
import numpy as np

SIZES = [int(n) for n in (sys.argv[1] if len(sys.argv) > 1 else "1000000,10000000").split(",")]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "target", "bench-people")
REPORT = ("created_date last_login full_name username email company_name user_type address "
          "last_pw_change role_name role_desc phone mobile time_zone saml_federation_id").split()
KINDS = sys.argv[3:] or ["strict", "loose"]
RUNS = int(os.environ.get("RUNS", "3"))
# The report that is looked for.
SOUGHT = "full_name username email company_name user_type role_name phone mobile time_zone".split()
WHERE = "a_user_type = 'Partner' and a_env = 'production'"


def timed(work):
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


def show(label, walls, cpus):
    spread = lambda xs: f"{statistics.median(xs):.3f} ({min(xs):.3f}-{max(xs):.3f})"
    print(f"| {label} | {spread(cpus)} | {spread(walls)} |", flush=True)
    return statistics.median(walls), statistics.median(cpus)


def predicates():
    with open(os.path.join(HERE, "predicates.toml"), "rb") as file:
        listed = tomllib.load(file)["predicate"]
    sql = [f"coalesce({p['column']} {p['op']} '{p['value']}', false)" for p in listed]
    return listed, sql


def field(column):
    text = f"cast({column} as varchar)"
    return (f"sum(case when {column} is null then 0 else strlen({text}) + case when "
            f"regexp_matches({text}, '[,\"\\r\\n]') then 2 + len({text}) - len(replace({text}, '\"', '')) "
            f"else 0 end end)::bigint")


def best_of_today(db, listed, sql):
    columns = ", ".join(field(c) for c in REPORT)
    flags = ", ".join(f"{expression} p{i}" for i, expression in enumerate(sql))
    names = ", ".join(f"p{i}" for i in range(len(sql)))
    query = f"select {names}, count(*), {columns} from (select *, {flags} from people) group by {names}"
    result = np.array(db.execute(query).fetchall(), dtype=np.int64)
    masks, sums = result[:, :len(sql)].astype(bool), result[:, len(sql):].astype(float)
    # Conjunctions of at most three predicates on different columns, as Warifu combines them.
    filters = [()]
    for size in (1, 2, 3):
        for some in itertools.combinations(range(len(sql)), size):
            if len({listed[i]["column"] for i in some}) == size:
                filters.append(some)
    chosen = np.ones((len(filters), len(masks)))
    for index, some in enumerate(filters):
        for predicate in some:
            chosen[index] *= masks[:, predicate]
    return len(filters), len(masks), chosen @ sums


def sizes(db):
    """Sizes of the report looked for and of everybody with all columns (LF, minimal quoting)."""
    for columns, where in ((SOUGHT, WHERE), (REPORT, "true")):
        query = "select count(*), " + ", ".join(field(c) for c in columns) + f" from people where {where}"
        rows, *parts = db.execute(query).fetchone()
        yield sum(parts) + rows * len(columns) + len(",".join(columns)) + 1


def goal(what, value, unit, limit, least):
    met = value >= limit if least else value <= limit
    print(f"- {what}: {value:.2f}{unit} (goal {'at least' if least else 'at most'} {limit}{unit}: {'met' if met else 'MISSED'})")


def one(kind, csv, rows, engine, listed, sql):
    print(f"\n### {kind}, {rows:,} people, {os.path.getsize(csv) / 1e6:.0f} MB\n")
    print("| what | CPU s, median (least-most) | wall s |\n|---|---|---|")
    db = duckdb.connect()
    db.execute("set threads=2")
    forced = ", ".join(f"count({c[0]})" for c in db.execute(f"describe select * from '{csv}'").fetchall())
    reading = f"select count(*), {forced} from read_csv('{csv}')"
    walls, cpus = zip(*[timed(lambda: db.execute(reading).fetchall())[1:] for _ in range(RUNS)])
    read = show("DuckDB reads the CSV, all columns", walls, cpus)
    db.execute(f"create table people as select * from read_csv('{csv}')")
    runs = [timed(lambda: best_of_today(db, listed, sql)) for _ in range(RUNS)]
    filters, atoms, _ = runs[0][0]
    duck = show(f"DuckDB + numpy, {filters:,} filters, {atoms:,} atoms, loaded", *zip(*[r[1:] for r in runs]))
    sought, everybody = sizes(db)
    db.close()
    targets = [f"{sought}", f"{sought}:who", f"{sought}:all", f"{everybody}:who"]
    lines = []
    repeat = str(max(1, 10_000_000 // rows))
    for _ in range(RUNS):
        command = [engine, csv, os.path.join(HERE, "predicates.toml"), repeat, *targets]
        lines += subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
    number = lambda line, key: float(re.search(key + r" ([0-9.]+)", line).group(1))
    pick = lambda start: [line for line in lines if line.startswith(start)]
    both = lambda found: ([number(x, "wall") for x in found], [number(x, "cpu") for x in found])
    load = show("Warifu reads the CSV into columns", *both(pick("load")))
    alone = show("Warifu search, loaded, 1 thread", *both(pick(f"search {sought} threads 1")))
    two = show("Warifu search, loaded, 2 threads", *both(pick(f"search {sought} threads 2")))
    show("Warifu search and who was in it, 1 thread", *both(pick(f"search {sought}:who threads 1")))
    all_ = show("Warifu search of 90 dialects, 2 threads", *both(pick(f"search {sought}:all threads 2")))
    show("Warifu search of everybody's size and who was in it, 1 thread", *both(pick(f"search {everybody}:who threads 1")))
    print()
    for target in targets:
        print(f"- {target}: {pick(f'search {target} threads 1')[0].split('filters ')[1]}")
    goal("loaded data, CPU of DuckDB + numpy over Warifu's", duck[1] / alone[1], "x", 20, True)
    print(f"- loaded data, wall time: {duck[0] / two[0]:.1f}x")
    goal("CSV to answer with 90 dialects, CPU over DuckDB's of reading", (load[1] + all_[1]) / read[1], "x", 1.5, False)
    print(f"- CSV to answer with 90 dialects, wall time: {(load[0] + all_[0]) / read[0]:.2f}x")
    memory = max(number(line, "memory") for line in pick("memory"))
    goal("memory, peak", memory / rows, " bytes per person", 200, False)
    return {"read": load[1], "search": alone[1], "90 dialects": all_[1]}


def main():
    build = ["cargo", "build", "--release", "-p", "warifu-match", "--example", "engine"]
    subprocess.run(build, check=True, cwd=ROOT)
    target = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
    engine = os.path.join(target, "release", "examples", "engine")
    listed, sql = predicates()
    grown = {}
    for rows in SIZES:
        folder = os.path.join(DATA, str(rows))
        if not all(os.path.exists(os.path.join(folder, f"{kind}.csv")) for kind in KINDS):
            people = os.path.join(ROOT, "bench", "people.py")
            subprocess.run([sys.executable, people, str(rows), folder], check=True)
        for kind in KINDS:
            seconds = one(kind, os.path.join(folder, f"{kind}.csv"), rows, engine, listed, sql)
            grown.setdefault(kind, []).append((rows, seconds))
    for kind, steps in grown.items():
        for (few, before), (many, after) in zip(steps, steps[1:]):
            print(f"\n### {kind}, {few:,} to {many:,} people\n")
            for what in before:
                goal(f"CPU of {what}, growth per person", after[what] / before[what] * few / many, "x", 1.0, False)


main()
