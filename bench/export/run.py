"""Times the export of people and its preview; see README.md. Called by ./run."""
import base64
import glob
import hashlib
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

RUNS = int(os.environ.get("RUNS", "5"))
WARIFU = os.path.abspath("target/release/warifu")
FOREVER = 9223372036854775807
FIELDS = ("created_date last_login full_name username email company_name user_type address "
          "last_password_change role_name role_description phone mobile time_zone "
          "saml_federation_id").split()
TIMES = {"created_date", "last_login", "last_password_change"}
KEPT = os.environ.get("DATA")
BASE = os.path.abspath(KEPT) if KEPT else tempfile.mkdtemp(prefix="warifu-bench-")


def sh(*command, **more):
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **more)


# ------------------------------------------------------------------------------- PostgreSQL
class Postgres:
    """A server of our own on a free port, as its package configures it, with 256 MB of buffers."""

    def __init__(self):
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.dir = os.path.join(BASE, "postgres")
        self.data = os.path.join(self.dir, "data")
        self.prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        new = not os.path.exists(self.data)
        os.makedirs(self.dir, exist_ok=True)
        if self.prefix:
            os.chmod(BASE, 0o755)
            shutil.chown(self.dir, "postgres")
        if new:
            sh(*self.prefix, f"{self.bin}/initdb", "-D", self.data, "-U", "warifu", "--auth=trust",
               "--encoding=UTF8", "--locale=C", cwd=self.dir)
        self.port = free_port()
        sh(*self.prefix, f"{self.bin}/pg_ctl", "-D", self.data, "-w", "-o",
           f"-p {self.port} -k {self.dir} -c listen_addresses=127.0.0.1 -c shared_buffers=256MB "
           "-c max_wal_size=4GB", "-l", f"{self.dir}/log", "start", cwd=self.dir)

    def url(self, name):
        return f"postgres://warifu@127.0.0.1:{self.port}/{name}"

    def sql(self, name, text):
        done = subprocess.run(["psql", "-qAtX", "-v", "ON_ERROR_STOP=1", self.url(name), "-c", text],
                              check=True, capture_output=True, text=True)
        return done.stdout.strip()

    def stop(self):
        sh(*self.prefix, f"{self.bin}/pg_ctl", "-D", self.data, "-m", "fast", "-w", "stop", cwd=self.dir)


def free_port():
    import socket
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


# ------------------------------------------------------------------------------- the data
def people(rows):
    """Everybody as the table has them: bench/people.py's loose people, times in microseconds."""
    out = os.path.join(BASE, f"people-{rows}.csv")
    if os.path.exists(out):
        return out
    source = os.path.join(BASE, f"source-{rows}")
    sh(sys.executable, "bench/people.py", str(rows), source, "parquet")
    import duckdb
    found = glob.glob(f"{source}/loose*.parquet")[0]
    names = [r[0] for r in duckdb.sql(f"describe select * from '{found}'").fetchall()]
    other = {"last_password_change": "last_pw_change", "role_description": "role_desc"}
    columns = ["10 + row_number() over () id", "1 rev_from", f"{FOREVER} rev_to",
               "1 + (row_number() over ()) % 1200 organization_id", "1 active"]
    for field in FIELDS:
        name = other.get(field, field)
        name = name if name in names else field
        if field in TIMES:
            columns.append(f"epoch_us({name}::timestamp) {field}")
        else:
            columns.append(f"{name} {field}")
    duckdb.sql(f"copy (select {', '.join(columns)} from '{found}') to '{out}' (header false)")
    shutil.rmtree(source)
    return out


def empty(data, database):
    """An installation with its tables, and nobody in it."""
    command = [WARIFU, "ledger", "verify", "--data", data] + (["--database", database] if database else [])
    subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def token():
    """A session of person 1, who is a super administrator, as sign-in would have made it."""
    secret = hashlib.sha256(b"bench").digest()
    return base64.urlsafe_b64encode(secret).rstrip(b"=").decode(), hashlib.sha256(secret).hexdigest()


def session_sql(blob, yes):
    now = int(time.time() * 1e6)
    _, digest = token()
    return [
        f"INSERT INTO people (id, rev_from, rev_to, organization_id, active, full_name, email) "
        f"VALUES (1, 1, {FOREVER}, 1, {yes}, 'Bench', 'bench@vendor.example')",
        f"INSERT INTO role_grants (person_id, role, rev_from, rev_to) "
        f"VALUES (1, 'super_administrator', 1, {FOREVER})",
        f"INSERT INTO sessions (token_hash, person_id, csrf, created_at, used_at, ends_at, network, agent, "
        f"credential_id) VALUES ({blob(digest)}, 1, 'bench-token', {now}, {now}, {now + 40_000_000_000}, "
        f"'loopback', 'bench', 0)",
    ]


def fill_sqlite(rows):
    data = os.path.join(BASE, f"sqlite-{rows}")
    if not os.path.exists(data):
        empty(data, None)
        file = os.path.join(data, "warifu.db")
        columns = ", ".join(["id", "rev_from", "rev_to", "organization_id", "active"] + FIELDS)
        texts = ", ".join(f"nullif({f}, '')" for f in FIELDS)
        plain = "id, rev_from, rev_to, organization_id, active"
        script = f"""
CREATE TEMP TABLE t ({columns});
.mode csv
.import --schema temp '{people(rows)}' t
BEGIN;
INSERT INTO people ({columns}) SELECT {plain}, {texts} FROM t;
COMMIT;"""
        subprocess.run(["sqlite3", file], input=script, text=True, check=True)
    file = os.path.join(data, "warifu.db")
    script = ";\n".join(["DELETE FROM sessions", "DELETE FROM people WHERE id = 1",
                         "DELETE FROM role_grants"] + session_sql(lambda h: f"x'{h}'", 1)) + ";"
    subprocess.run(["sqlite3", file], input=script, text=True, check=True)
    return data, None, file


def fill_postgres(pg, rows):
    name, data = f"people_{rows}", os.path.join(BASE, f"postgres-{rows}")
    if not os.path.exists(data):
        pg.sql("postgres", f"CREATE DATABASE {name}")
        empty(data, pg.url(name))
        columns = ", ".join(["id", "rev_from", "rev_to", "organization_id", "active"] + FIELDS)
        subprocess.run(["psql", "-qX", "-v", "ON_ERROR_STOP=1", pg.url(name), "-c",
                        f"\\copy people ({columns}) from '{people(rows)}' csv"], check=True)
        pg.sql(name, "VACUUM ANALYZE people")
    for text in (["DELETE FROM sessions", "DELETE FROM people WHERE id = 1", "DELETE FROM role_grants"]
                 + session_sql(lambda h: f"'\\x{h}'", "true")):
        pg.sql(name, text)
    return data, pg.url(name), name


# ------------------------------------------------------------------------------- the server
class Server:
    def __init__(self, data, database):
        # What has no filter or is over the limit takes a key, and no key is here.
        command = [WARIFU, "serve", "--data", data, "--listen", "127.0.0.1:0", "--report-limit", "1000000"]
        if database:
            command += ["--database", database]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        self.origin = line.split()[-1]
        self.pid = self.process.pid

    def call(self, path, body=None):
        headers = {"Cookie": f"__Host-warifu={token()[0]}", "Content-Type": "application/json",
                   "Origin": self.origin, "Sec-Fetch-Site": "same-origin", "X-CSRF-Token": "bench-token"}
        data = json.dumps(body).encode() if body is not None else None
        request = urllib.request.Request(self.origin + path, data, headers)
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    def cpu(self):
        with open(f"/proc/{self.pid}/stat") as f:
            parts = f.read().rsplit(")", 1)[1].split()
        return (int(parts[11]) + int(parts[12])) / os.sysconf("SC_CLK_TCK")

    def memory(self, key="VmHWM"):
        with open(f"/proc/{self.pid}/status") as f:
            return next(int(line.split()[1]) / 1024 for line in f if line.startswith(key + ":"))

    def reset_peak(self):
        with open(f"/proc/{self.pid}/clear_refs", "w") as f:
            f.write("5")

    def stop(self):
        self.process.terminate()
        self.process.wait()


DEFINITION = {"subject": "people", "columns": FIELDS}
# Everybody but whoever asks, who has no such date; the rivals have this as well.
EXPORT = DEFINITION | {"filter": {"column": "created_date", "op": "from", "value": "1990-01-01"}}
SAME = "created_date >= 631152000000000"


def prepare(server):
    run = server.call("/api/v1/runs", {"definition": EXPORT, "name": "Bench", "reason": "bench"})
    return run["id"]


def timed(work):
    """Wall seconds of `work`, each of RUNS times."""
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return times


def child_cpu():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def words(times):
    return f"{statistics.median(times):.3f} ({min(times):.3f}-{max(times):.3f})"


def download(server, run, out):
    sh("curl", "-sf", "-X", "POST", "-o", out, "-b", f"__Host-warifu={token()[0]}",
       "-H", f"Origin: {server.origin}", "-H", "Sec-Fetch-Site: same-origin",
       "-H", "X-CSRF-Token: bench-token", "-H", "Content-Type: application/x-www-form-urlencoded",
       "-d", "csrf=bench-token", f"{server.origin}/runs/{run}/download")


def bench(rows, engine, pg):
    data, database, name = fill_sqlite(rows) if engine == "sqlite" else fill_postgres(pg, rows)
    out = os.path.join(BASE, "out.csv")
    where = f"rev_from <= {FOREVER - 1} AND rev_to = {FOREVER} AND {SAME} ORDER BY id"
    raw = f"SELECT {', '.join(FIELDS)} FROM people WHERE {where}"
    if engine == "sqlite":
        iso = [f"strftime('%Y-%m-%dT%H:%M:%SZ', {f} / 1000000, 'unixepoch') AS {f}" if f in TIMES else f
               for f in FIELDS]
        tool = "sqlite3 -csv"

        def rival(sql):
            with open(out, "wb") as f:
                subprocess.run(["sqlite3", "-readonly", "-csv", "-header", name, sql], stdout=f, check=True)
    else:
        iso = [f"to_char(to_timestamp({f} / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS\"Z\"') "
               f"AS {f}" if f in TIMES else f for f in FIELDS]
        tool = "psql \\copy"

        def rival(sql):
            sh("psql", "-qX", database, "-c", f"\\copy ({sql}) to '{out}' csv header")
    same = f"SELECT {', '.join(iso)} FROM people WHERE {where}"

    server = Server(data, database)
    try:
        server.call("/api/v1/runs")
        idle = server.memory("VmRSS")
        ours, cpu, peaks = [], [], []
        rivals = {"numbers": [], "formatted": []}
        forget = "UPDATE runs SET alive_until = 0 WHERE alive_until IS NOT NULL"
        for _ in range(RUNS):
            # What left within a day counts together: each round is a day of its own.
            if engine == "sqlite":
                subprocess.run(["sqlite3", "-cmd", ".timeout 5000", name, forget], check=True)
            else:
                pg.sql(name, forget)
            run = prepare(server)
            server.reset_peak()
            before = server.cpu()
            start = time.perf_counter()
            download(server, run, out)
            ours.append(time.perf_counter() - start)
            cpu.append(server.cpu() - before)
            peaks.append(server.memory())
            size = os.path.getsize(out)
            for kind, sql in (("numbers", raw), ("formatted", same)):
                start = time.perf_counter()
                rival(sql)
                rivals[kind].append(time.perf_counter() - start)
            # A run whose file has left is done once its end is in the ledger.
            while server.call(f"/api/v1/runs/{run}")["state"] != "done":
                time.sleep(0.05)
        start = time.perf_counter()
        first = server.call("/api/v1/reports", EXPORT)
        cold = time.perf_counter() - start
        assert first["bytes"] == size, (first, size)
        asked = {
            "everybody, 15 columns": DEFINITION,
            "a user type": DEFINITION | {"filter": {"column": "user_type", "op": "equals", "value": "Employee"}},
            "logins of 90 days, 2 columns": {
                "subject": "people", "columns": ["full_name", "email"],
                "filter": {"column": "last_login", "op": "from", "value": "2023-07-01"}},
            "everybody, semicolons, all quoted, UTF-16": DEFINITION | {
                "format": {"csv": {"delimiter": ";", "quote": "all", "encoding": "utf-16le"}}},
        }
        print(f"\n### {engine}, {rows:,} people, file of {size:,} bytes\n")
        print("| what | wall s, median (least-most) | beside the export |\n|---|---|---|")
        print(f"| **export through the server** | {words(ours)} | 1 |")
        export = statistics.median(ours)
        for kind, label in (("numbers", "times as whole numbers"), ("formatted", "times as in the report")):
            ratio = statistics.median(rivals[kind]) / export
            print(f"| `{tool}`, {label} | {words(rivals[kind])} | {ratio:.2f} |")
        print(f"| preview, the first one (reads everybody) | {cold:.3f} | {cold / export:.2f} |")
        for label, definition in asked.items():
            times = timed(lambda: server.call("/api/v1/reports", definition))
            print(f"| preview, {label} | {words(times)} | {statistics.median(times) / export:.3f} |")
        name_filter = DEFINITION | {"filter": {"column": "full_name", "op": "contains", "value": "an"}}
        start = time.perf_counter()
        server.call("/api/v1/reports", name_filter)
        text = time.perf_counter() - start
        times = timed(lambda: server.call("/api/v1/reports", name_filter))
        print(f"| preview, name contains, the first time | {text:.3f} | {text / export:.2f} |")
        print(f"| preview, name contains, again | {words(times)} | {statistics.median(times) / export:.3f} |")
        print(f"\nServer: {statistics.median(cpu):.2f} s CPU per export; resident {idle:.1f} MB idle, "
              f"{max(peaks):.1f} MB at most during an export.")
    finally:
        server.stop()


def main():
    scales = [int(a) for a in sys.argv[1:]] or [100_000, 1_000_000]
    pg = Postgres()
    try:
        for rows in scales:
            for engine in ("sqlite", "postgres"):
                bench(rows, engine, pg)
    finally:
        pg.stop()
        if not KEPT:
            shutil.rmtree(BASE, ignore_errors=True)


main()
