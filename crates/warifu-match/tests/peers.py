#!/usr/bin/env python3
"""Writes the same people with other exporters: Python's csv, sqlite3 -csv, DuckDB, pyarrow.

usage: peers.py OUTDIR      (needs python3 with duckdb and pyarrow, and the sqlite3 shell)
"""
import csv
import json
import os
import random
import subprocess
import sys

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet

out = sys.argv[1]
rnd = random.Random(7)
COLUMNS = ["full_name", "email", "company", "kind", "note"]
NAMES = ["Ann Lee", "佐藤 健太", 'José "Pepe" Ruiz', "Smith, John", "Łukasz", "Kim; Lu", "O'Neil"]
rows = []
for n in range(3000):
    rows.append([
        f"{rnd.choice(NAMES)} {rnd.randrange(10**rnd.randint(1, 6))}",
        f"user{n}@d{rnd.randrange(40)}.example",
        f"Company{rnd.randrange(90)}, Inc." if rnd.random() < 0.3 else None,
        rnd.choice(["Customer", "Partner", "Employee"]),
        f"line\nbreak {n}" if rnd.random() < 0.05 else None,
    ])


def path(name):
    return os.path.join(out, name)


def table(data):
    return pa.table({c: pa.array([r[i] for r in data], pa.string()) for i, c in enumerate(COLUMNS)})


def python(name, data, **options):
    with open(path(name), "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, **options)
        writer.writerow(COLUMNS)
        writer.writerows(data)


def duck(name, data, options):
    people = table(data)
    duckdb.sql(f"copy (select * from people) to '{path(name)}' ({options})")


def sqlite(name, data):
    database = path(name + ".db")
    with open(path(name + ".sql"), "w", encoding="utf-8") as file:
        file.write("create table p(" + ",".join(COLUMNS) + ");begin;\n")
        quote = lambda v: "null" if v is None else "'" + v.replace("'", "''") + "'"
        for row in data:
            file.write("insert into p values(" + ",".join(map(quote, row)) + ");\n")
        file.write("commit;\n")
    subprocess.run(["sqlite3", database, ".read " + path(name + ".sql")], check=True)
    with open(path(name), "wb") as file:
        subprocess.run(["sqlite3", "-csv", "-header", database, "select * from p"], check=True, stdout=file)


partners = [row for row in rows if row[3] == "Partner"]
for kind, data in (("all", rows), ("partner", partners)):
    python(f"python-{kind}.csv", data)
    python(f"python-quoted-{kind}.csv", data, quoting=csv.QUOTE_ALL, lineterminator="\n")
    python(f"python-semicolon-{kind}.csv", data, delimiter=";")
    duck(f"duckdb-{kind}.csv", data, "format csv, header")
    duck(f"duckdb-tab-{kind}.tsv", data, "format csv, header, delimiter '\t'")
    duck(f"duckdb-{kind}.jsonl", data, "format json")
    sqlite(f"sqlite-{kind}.csv", data)
    pyarrow.csv.write_csv(table(data), path(f"pyarrow-{kind}.csv"))
    pyarrow.parquet.write_table(table(data), path(f"pyarrow-{kind}.parquet"))
    with open(path(f"python-{kind}.jsonl"), "w", encoding="utf-8") as file:
        for row in data:
            file.write(json.dumps(dict(zip(COLUMNS, row)), ensure_ascii=False) + "\n")
