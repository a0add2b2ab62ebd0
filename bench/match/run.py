#!/usr/bin/env python3
"""Match against the best that DuckDB can do, on the same machine in one run.

usage: run.py [ROWS] [DATADIR] [strict] [loose]   (default 1000000, ./target/bench-people, both)

Needs python3 with duckdb and numpy, and cargo. Prints CPU and wall seconds (median, least, most) and
ratios. Two questions are asked of both:
 1. loaded data: which of the filters made of 20 predicates x 32,767 column sets give a size?
    DuckDB: one GROUP BY over the 20 predicates with a byte sum (quoting included) per column, then
    a matrix product (filters x atoms) in numpy; Warifu: `search`, which also solves the sizes.
 2. CSV to answer: DuckDB only reads the file (count(*) with every column forced); Warifu reads it,
    searches and answers.
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

ROWS = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
DATA = sys.argv[2] if len(sys.argv) > 2 else os.path.join(ROOT, "target", "bench-people")
REPORT = ("created_date last_login full_name username email company_name user_type address "
          "last_pw_change role_name role_desc phone mobile time_zone saml_federation_id").split()
KINDS = sys.argv[3:] or ["strict", "loose"]
RUNS = int(os.environ.get("RUNS", "3"))


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


def main():
    path = {kind: os.path.join(DATA, f"{kind}.csv") for kind in KINDS}
    if not all(os.path.exists(p) for p in path.values()):
        subprocess.run([sys.executable, os.path.join(ROOT, "bench", "people.py"), str(ROWS), DATA], check=True)
    build = ["cargo", "build", "--release", "-p", "warifu-match", "--examples"]
    subprocess.run(build, check=True, cwd=ROOT)
    engine = os.path.join(ROOT, "target", "release", "examples", "engine")
    listed, sql = predicates()
    for kind, csv in path.items():
        print(f"\n### {kind}, {ROWS:,} people, {os.path.getsize(csv) / 1e6:.0f} MB\n")
        print("| what | CPU s, median (least-most) | wall s |\n|---|---|---|")
        db = duckdb.connect()
        db.execute("set threads=2")
        forced = ", ".join(f"count({c[0]})" for c in db.execute(f"describe select * from '{csv}'").fetchall())
        walls, cpus = zip(*[timed(lambda: db.execute(f"select count(*), {forced} from read_csv('{csv}')").fetchall())[1:] for _ in range(RUNS)])
        read = show("DuckDB reads the CSV, all columns", walls, cpus)
        db.execute(f"create table people as select * from read_csv('{csv}')")
        runs = [timed(lambda: best_of_today(db, listed, sql)) for _ in range(RUNS)]
        filters, atoms, _ = runs[0][0]
        duck = show(f"DuckDB + numpy, {filters:,} filters, {atoms:,} atoms, loaded", *zip(*[r[1:] for r in runs]))
        # The size of the unfiltered file, as the target.
        total = db.execute("select count(*), " + ", ".join(field(c) for c in REPORT) + " from people").fetchone()
        bytes_ = sum(total[1:]) + total[0] * len(REPORT) + len(",".join(REPORT)) + 1
        db.close()
        lines = []
        for _ in range(RUNS):
            command = [engine, csv, os.path.join(HERE, "predicates.toml"), str(bytes_)]
            lines += subprocess.run(command, check=True, capture_output=True, text=True).stdout.splitlines()
        number = lambda line, key: float(re.search(key + r" ([0-9.]+)", line).group(1))
        pick = lambda start: [line for line in lines if line.startswith(start)]
        both = lambda found: ([number(x, "wall") for x in found], [number(x, "cpu") for x in found])
        load = show("Warifu reads the CSV into columns", *both(pick("load")))
        one = show("Warifu search, loaded, 1 thread", *both(pick("search threads 1")))
        two = show("Warifu search, loaded, 2 threads", *both(pick("search threads 2")))
        print(f"\n- {pick('search')[0].split('filters')[1].strip()}")
        print(f"- loaded data: {duck[1] / one[1]:.1f}x less CPU, {duck[0] / two[0]:.1f}x less wall time")
        print(f"- CSV to answer: {(load[0] + two[0]) / read[0]:.2f}x the wall time, "
              f"{(load[1] + two[1]) / read[1]:.2f}x the CPU, of DuckDB merely reading")


main()
