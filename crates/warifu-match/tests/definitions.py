#!/usr/bin/env python3
"""Report files of definitions chosen at random, written by other exporters, with what is true of them.

usage: definitions.py OUTDIR CASES SEED      (needs python3 with duckdb and pyarrow, and sqlite3)

Writes people.csv, the files, and cases.json: per case the file, its dialect as Warifu calls it, the
rows, the columns, and the numbers of the people in it.
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

out, cases, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rnd = random.Random(seed)
COLUMNS = ["joined", "display_name", "mail", "firm", "tier", "country", "plan", "fax", "remark", "tz"]
FIRST = "Ann Bo Cy Dag Eve Finn 健太 さくら José Zoë Łukasz Søren Nguyễn O'Neil".split()
LAST = ["Lee", "Smith, Jr.", "佐藤", 'Ruiz "Pepe"', "Kim; Lu", "van der Berg", "Müller", "A\\B", "Tab\tHere"]
people = []
for n in range(1500):
    maybe = lambda share, value: value() if rnd.random() < share else None
    people.append([
        maybe(0.8, lambda: f"20{rnd.randint(16, 23)}-{rnd.randint(1, 12):02}-{rnd.randint(1, 28):02}T"
                           f"{rnd.randint(0, 23):02}:{rnd.randint(0, 59):02}:00Z"),
        f"{rnd.choice(FIRST)} {rnd.choice(LAST)} {rnd.randrange(10 ** rnd.randint(1, 5))}",
        f"u{n * 7919 % 100003}@{rnd.choice('abcdefgh')}{rnd.choice(['.example', '.test', 'corp.example'])}",
        maybe(0.4, lambda: f"{rnd.choice(LAST)} {rnd.choice(['Ltd', 'Inc.', 'GmbH'])}"),
        rnd.choice(["gold", "silver", "bronze"]),
        rnd.choice(["JP", "US", "DE", "FR", "GB", "BR", "PL"]),
        maybe(0.7, lambda: rnd.choice(["basic", "plus, yearly", "enterprise"])),
        maybe(0.05, lambda: f"+49 30 {rnd.randrange(10 ** 6)}"),
        maybe(0.1, lambda: rnd.choice(["line\nbreak", 'says "hi"', "plain", "x" * rnd.randint(1, 90)])),
        maybe(0.5, lambda: rnd.choice(["Asia/Tokyo", "Europe/Berlin", "UTC"])),
    ])


def path(name):
    return os.path.join(out, name)


with open(path("people.csv"), "w", newline="", encoding="utf-8") as file:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(people)


def condition():
    """A condition on a column: the column's number and a test of a value."""
    kind = rnd.choice(["value", "value", "not", "two", "filled", "blank", "year", "since", "domain"])
    if kind in ("value", "not", "two"):
        column = rnd.choice([4, 5, 6, 9] if kind == "value" else [4, 6] if kind == "not" else [5, 4])
        values = sorted({row[column] for row in people if row[column]})
        if kind == "two" and len(values) not in (4, 5, 6):
            kind = "value"
        some = rnd.sample(values, 2 if kind == "two" else 1)
        return column, (lambda v: v not in some) if kind == "not" else (lambda v: v in some)
    if kind in ("filled", "blank"):
        return rnd.choice([0, 3, 6, 7, 8, 9]), (lambda v: bool(v)) if kind == "filled" else (lambda v: not v)
    if kind == "domain":
        domains = [row[2].split("@")[1] for row in people]
        # The search looks for the eight commonest.
        domain = rnd.choice(sorted(set(domains), key=lambda d: (-domains.count(d), d))[:8])
        return 2, lambda v: v.split("@")[1] == domain
    year = str(rnd.randint(2017, 2022))
    if kind == "year":
        return 0, lambda v: v is not None and v[:4] == year
    return 0, lambda v: v is not None and v[:4] >= year


def table(columns, rows):
    return pa.table({COLUMNS[c]: pa.array([row[c] for row in rows], pa.string()) for c in columns})


def write(name, columns, rows):
    """Writes the file in some way and answers that way as a dialect."""
    data = [[row[c] for c in columns] for row in rows]
    names = [COLUMNS[c] for c in columns]
    tool = rnd.choice(["python", "python", "duckdb", "duckdb", "pyarrow", "sqlite"])
    delimiter = rnd.choice([",", ",", ";", "\t", "|"])
    if tool == "python":
        eol = rnd.choice(["\n", "\r\n"])
        quote = rnd.choice([("minimal", csv.QUOTE_MINIMAL), ("all", csv.QUOTE_ALL)])
        encoding = rnd.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16-le"])
        with open(path(name), "w", newline="", encoding=encoding) as file:
            writer = csv.writer(file, delimiter=delimiter, quoting=quote[1], lineterminator=eol)
            writer.writerow(names)
            writer.writerows(data)
        return tool, {"delimiter": delimiter, "quote": quote[0], "eol": "lf" if eol == "\n" else "crlf",
                      "bom": encoding == "utf-8-sig", "empty": "bare",
                      "encoding": "utf-16le" if encoding == "utf-16-le" else "utf-8"}
    if tool == "duckdb":
        selected = table(columns, rows)
        null = rnd.choice(["", "", "NULL", "-"])
        header = rnd.choice([True, True, False])
        duckdb.sql(f"copy (select * from selected) to '{path(name)}' "
                   f"(format csv, header {header}, delimiter '{delimiter}', nullstr '{null}')")
        return tool, {"delimiter": delimiter, "eol": "lf", "header": header,
                      "null": {"text": null} if null else "empty"}
    if tool == "pyarrow":
        style = rnd.choice(["needed", "all_valid"])
        options = pyarrow.csv.WriteOptions(delimiter=delimiter, quoting_style=style)
        pyarrow.csv.write_csv(table(columns, rows), path(name), options)
        # Its "needed" quotes every text that is there; its header is always quoted.
        return tool, {"delimiter": delimiter, "eol": "lf", "quote": "non-null", "header_quote": "all"}
    database = path(name + ".db")
    with open(path(name + ".sql"), "w", encoding="utf-8") as file:
        file.write("create table p(" + ",".join(names) + ");begin;\n")
        for row in data:
            values = ["null" if v is None else "'" + v.replace("'", "''") + "'" for v in row]
            file.write("insert into p values(" + ",".join(values) + ");\n")
        file.write("commit;\n")
    subprocess.run(["sqlite3", database, ".read " + path(name + ".sql")], check=True)
    with open(path(name), "wb") as file:
        subprocess.run(["sqlite3", "-csv", "-header", database, "select * from p"], check=True, stdout=file)
    return tool, {"delimiter": ",", "quote": "sqlite", "eol": "lf", "empty": "bare"}


written = []
while len(written) < cases:
    conditions = {}
    for column, test in [condition() for _ in range(rnd.choice([0, 1, 1, 2, 2, 3]))]:
        conditions[column] = test
    inside = [n for n, row in enumerate(people) if all(test(row[c]) for c, test in conditions.items())]
    # One column alone is a trap of its own, with a test of its own.
    columns = sorted(rnd.sample(range(len(COLUMNS)), rnd.randint(2, len(COLUMNS))))
    if not inside:
        continue
    name = f"case{len(written)}"
    tool, dialect = write(name, columns, [people[n] for n in inside])
    written.append({"file": name, "tool": tool, "dialect": dialect, "people": inside,
                    "predicates": len(conditions), "columns": [COLUMNS[c] for c in columns]})
with open(path("cases.json"), "w", encoding="utf-8") as file:
    json.dump(written, file)
