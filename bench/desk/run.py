#!/usr/bin/env python3
"""Measures a running server and its rivals; see README.md. usage: run.py SCALE DIR [POSTGRES-URL]

Time of a request is measured by the client on loopback, from the first byte sent to the last byte
read: all of the server's time and a little more. CPU is the server process's, by request.
"""
import http.client
import os
import random
import re
import signal
import sqlite3
import statistics
import subprocess
import sys
import time
from urllib.parse import quote

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TARGET = os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target"))
WARIFU = os.path.join(TARGET, "release", "warifu")
MAKER = os.path.join(TARGET, "release", "examples", "bench_desk")
N = int(os.environ.get("REQUESTS", "300"))
TICK = os.sysconf("SC_CLK_TCK")
CURRENT = 9223372036854775807
WORDS = [
    ("in nearly every message: the", "the "), ("common: certificate", "certificate"),
    ("beginning of words: cert", "cert"), ("two letters: ce", "ce"), ("rare: heisenbug", "heisenbug"),
    ("absent: xyzzy", "xyzzy"), ("common Japanese: 認証", "認証"), ("three characters: 証明書", "証明書"),
    ("one character: 証", "証"), ("rare Japanese: 量子暗号", "量子暗号"), ("two words: sign page", "sign page"),
    ("common and rare: the heisenbug", "the heisenbug"), ("two of Japanese: 請求 障害", "請求 障害"),
    ("words that never meet: heisenbug 量子暗号", "heisenbug 量子暗号"),
    ("five words: error on the sign page", "error on the sign page"),
]


class Server:
    """A server process, from its start to its first page."""

    def __init__(self, data, url):
        began = time.perf_counter()
        command = [WARIFU, "--log", "error", "serve", "--data", data, "--listen", "127.0.0.1:0",
                   "--reading-limit", "1000000"]
        env = dict(os.environ, **({"WARIFU_DATABASE": url} if url else {}))
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
        line = self.process.stdout.readline()
        self.port = int(re.search(r":(\d+)$", line.strip()).group(1))
        self.connect()
        self.get("/sign-in", "")
        self.start = time.perf_counter() - began

    def connect(self):
        self.http = http.client.HTTPConnection("localhost", self.port)

    def get(self, path, cookie):
        self.http.request("GET", path, headers={"Cookie": cookie, "Accept": "text/html"})
        answer = self.http.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {answer.getheader('location')} {body[:300]!r}")
        return body

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as f:
            parts = f.read().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / TICK

    def memory(self):
        with open(f"/proc/{self.process.pid}/status") as f:
            found = dict(re.findall(r"(VmRSS|RssAnon|RssFile):\s+(\d+) kB", f.read()))
        return {key: int(kb) / 1024 for key, kb in found.items()}

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def quantile(times, q):
    return sorted(times)[min(len(times) - 1, int(q * len(times)))]


def series(server, cookie, name, paths, results, warm=True):
    """Asks for each path in turn until there are N answers."""
    for path in (paths[:20] if warm else []):
        server.get(path, cookie)
    times, cpu = [], server.cpu()
    for i in range(N):
        began = time.perf_counter()
        server.get(paths[i % len(paths)], cookie)
        times.append((time.perf_counter() - began) * 1e3)
    cpu = (server.cpu() - cpu) / N * 1e3
    results[name] = (statistics.median(times), quantile(times, 0.99), max(times), cpu)
    print("| {} | {:.1f} | {:.1f} | {:.1f} | {:.1f} |".format(name, *results[name]), flush=True)


def ask(database, url, sql):
    """Rows of a question, by the database's own tool on PostgreSQL."""
    if not url:
        return database.execute(sql).fetchall()
    out = subprocess.run(["psql", "-qAtX", "-F", "\t", url, "-c", sql], check=True, capture_output=True, text=True)
    return [line.split("\t") for line in out.stdout.splitlines()]


def rival(database, url, sql, *values):
    """Milliseconds of a statement, the median of three to nine runs."""
    times, began = [], time.perf_counter()
    while len(times) < 3 or (len(times) < 9 and time.perf_counter() - began < 5):
        if url:
            out = ask(None, url, "explain (analyze, timing off) " + sql)
            times.append(float(re.search(r"Execution Time: ([\d.]+)", str(out)).group(1)))
        else:
            start = time.perf_counter()
            database.execute(sql, values).fetchall()
            times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def trigram(folder):
    """The same messages in an FTS5 trigram index, as the usual way of searching Japanese has it."""
    path = os.path.join(folder, "trigram.db")
    if not os.path.exists(path):
        database = sqlite3.connect(path + ".part")
        database.executescript("pragma journal_mode=off; pragma synchronous=off; pragma cache_size=-200000")
        database.execute("attach ? as desk", [os.path.join(folder, "warifu.db")])
        database.execute("create virtual table t using fts5(body, content='', tokenize='trigram')")
        database.execute("insert into t(rowid, body) select m.id, c.subject || ' ' || m.body from desk.messages m "
                         f"join desk.cases c on c.id = m.case_id and c.rev_to = {CURRENT} order by m.id")
        database.commit()
        database.close()
        os.rename(path + ".part", path)
    return sqlite3.connect(path)


def measure(scale, base, url):
    cases = int(100_000 * scale)
    folder = os.path.join(base, f"{'postgres' if url else 'sqlite'}-{cases}")
    extra = [url] if url else []
    if not os.path.exists(os.path.join(folder, "made")):
        began = time.perf_counter()
        subprocess.run([MAKER, "make", folder, str(cases)] + extra, check=True)
        open(os.path.join(folder, "made"), "w").close()
        print(f"made in {time.perf_counter() - began:.0f} s")
    starts = []
    for _ in range(5):
        server = Server(folder, url)
        starts.append(server.start)
        time.sleep(1)
        idle = server.memory()
        if len(starts) < 5:
            server.stop()
    cookie = subprocess.run([MAKER, "session", folder] + extra, check=True, capture_output=True, text=True).stdout.strip()
    database = None if url else sqlite3.connect(f"file:{folder}/warifu.db?mode=ro", uri=True)
    size = "" if url else f", {os.path.getsize(folder + '/warifu.db') / 1e6:,.0f} MB"
    print(f"\n### {'PostgreSQL' if url else 'SQLite'}, {cases:,} cases, {3 * cases:,} messages{size}\n")
    print(f"- start to first page: median {statistics.median(starts):.3f} s ({min(starts):.3f} to {max(starts):.3f})")
    print(f"- idle: {idle['VmRSS']:.0f} MB resident ({idle['RssAnon']:.0f} MB its own, the rest program and file pages)\n")
    print("| request | p50 ms | p99 ms | max ms | CPU ms |\n|---|---|---|---|---|")
    chance = random.Random(4)
    some = [chance.randint(1, cases) for _ in range(400)]
    listed = ",".join(map(str, some))
    rows = ask(database, url, f"select id, updated_at, organization_id, requester_id from cases where rev_to = {CURRENT} and id in ({listed})")
    results = {}
    run = lambda name, paths, warm=True: series(server, cookie, name, paths, results, warm)
    for view in ("mine", "unassigned", "active", "waiting", "closed"):
        run(f"list: {view}, first page", [f"/cases?view={view}"])
    run("list: closed, anywhere in it", [f"/cases?view=closed&after={r[1]}-{r[0]}" for r in rows])
    run("list: an organization's", [f"/cases?organization={r[2]}" for r in rows])
    big = ask(database, url, "select organization_id, count(*) from people group by 1 order by 2 desc limit 1")[0][0]
    run("list: the largest organization's", [f"/cases?organization={big}"])
    run("list: open and urgent", ["/cases?view=active&status=open&priority=urgent"])
    run("list: closed and urgent", ["/cases?view=closed&priority=urgent"])
    run("counts in the rail only", ["/shortcuts"])
    run("case, opened the first time (durable entry)", [f"/cases/HC-{i}" for i in some], warm=False)
    run("case, once more", [f"/cases/HC-{i}" for i in some])
    of_big = ask(database, url, f"select id from cases where rev_to = {CURRENT} and organization_id = {big} limit 50")
    run("case of the largest organization", [f"/cases/HC-{r[0]}" for r in of_big])
    for name, words in WORDS:
        run(f"search: {name}", [f"/search?q={quote(words)}"])
    person = ask(database, url, "select full_name from people where id = 5000 limit 1")[0][0]
    organization = ask(database, url, "select name from organizations where id = 100 limit 1")[0][0]
    run("search: a person's name", [f"/search?q={quote(person)}"])
    run("search: an organization's name", [f"/search?q={quote(organization)}"])
    run("palette, letter by letter: login", [f"/palette?q={'login'[:n]}" for n in range(1, 6)])
    worst = max(results, key=lambda name: results[name][1])
    slow = [name for name in results if results[name][1] > 20]
    print(f"\n- worst p99: {results[worst][1]:.1f} ms ({worst}); over 20 ms: {len(slow)} of {len(results)} {slow}")
    used = server.memory()
    print(f"- after {N * len(results):,} requests: {used['VmRSS']:.0f} MB resident ({used['RssAnon']:.0f} MB its own)")
    server.stop()
    rivals(database, url, folder, cases, results)
    return results


def rivals(database, url, folder, cases, results):
    print("\n| what another desk would do, the statement alone | ms | Warifu's whole page, p50 ms | ratio |\n|---|---|---|---|")

    def row(name, ms, page):
        print(f"| {name} | {ms:,.1f} | {results[page][0]:.1f} | {ms / results[page][0]:.1f} |", flush=True)

    now = f"rev_to = {CURRENT}"
    deep = int(cases * 0.9) // 50 * 50
    row("count(*) of the four views in the rail, each", sum(
        rival(database, url, f"select count(*) from cases where {now} and {which}")
        for which in ("assignee_id = 1 and active", "assignee_id = 0 and active", "active", "status = 2")), "counts in the rail only")
    row("count(*) of the closed cases", rival(database, url, f"select count(*) from cases where {now} and status = 4"), "list: closed, first page")
    row(f"page by OFFSET {deep:,}", rival(
        database, url, f"select * from cases where {now} and status = 4 order by updated_at desc, id desc limit 50 offset {deep}"),
        "list: closed, anywhere in it")
    like = ("select distinct m.case_id from messages m join cases c on c.id = m.case_id and c.{} where m.body like '%{}%' "
            "or c.subject like '%{}%' order by m.id desc limit 20")
    for page, text in (("common Japanese: 認証", "認証"), ("rare: heisenbug", "heisenbug"), ("absent: xyzzy", "xyzzy")):
        # DISTINCT with another order is not SQL everywhere: the newest messages are enough here.
        sql = like.format(now, text, text).replace("distinct m.case_id", "m.case_id")
        row(f"LIKE '%{text}%', the newest 20", rival(database, url, sql), f"search: {page}")
    if not url:
        grams = trigram(folder)
        print(f"| (the trigram index: {os.path.getsize(folder + '/trigram.db') / 1e6:,.0f} MB) | | | |")
        for page, text in (("common: certificate", "certificate"), ("rare: heisenbug", "heisenbug"), ("three characters: 証明書", "証明書")):
            sql = "select rowid from t where t match ? order by rowid desc limit 400"
            row(f"FTS5 trigram: {text}", rival(grams, None, sql, f'"{text}"'), f"search: {page}")
        print("| FTS5 trigram: 認証 | finds nothing: two characters are fewer than three | | |")


def main():
    scale, base = float(sys.argv[1]), sys.argv[2]
    url = sys.argv[3] if len(sys.argv) > 3 else None
    print(f"load average at the start: {os.getloadavg()[0]:.1f}; {N} requests each")
    small = None if url else measure(1, base, None)
    if scale == 1 and not url:
        return
    large = measure(scale, base, url)
    if small:
        print(f"\n| growth from 1 to {scale:g} times the data | p50 | CPU |\n|---|---|---|")
        for name in small:
            a, b = small[name], large[name]
            print(f"| {name} | {b[0] / a[0]:.1f} | {b[3] / max(a[3], 0.01):.1f} |")


main()
