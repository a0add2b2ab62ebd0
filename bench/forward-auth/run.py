#!/usr/bin/env python3
"""Measures forward-auth through nginx; see README.md. usage: run.py [POSTGRES-URL]

All stand behind the same nginx, with the same settings, and are asked in turn in one run.
"""
import hashlib
import os
import re
import secrets
import signal
import socket
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from base64 import urlsafe_b64encode

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
RELEASE = os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release")
ROUNDS = int(os.environ.get("ROUNDS", "7"))
SECONDS = int(os.environ.get("SECONDS_EACH", "5"))
CONNECTIONS = int(os.environ.get("CONNECTIONS", "16"))
# How many people ask, each in a session of their own, one after the other.
VISITORS = int(os.environ.get("VISITORS", "1"))
# With APART=1 nginx and wrk have the one core, and the server that is asked the other.
PROXY_CORE, SERVER_CORE = ((["taskset", "-c", core]) if os.environ.get("APART") else [] for core in "01")
TICK = os.sysconf("SC_CLK_TCK")
HOST = "builds.example.com"
# Who is asked, and for which headers about whoever it is: for one, or for all that Warifu has.
NAMES = {"yes": "always yes", "warifu": "Warifu", "yes6": "always yes, six headers", "warifu6": "Warifu, six headers"}
BESIDE = {"warifu": "yes", "warifu6": "yes6"}
NGINX = """
worker_processes 1; daemon off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off; {temporary}
  {fronts}
}}
"""
# The same for each of those who are asked.
FRONT = """
  upstream {name} {{ server 127.0.0.1:{back}; keepalive 32; }}
  server {{
    listen 127.0.0.1:{front};
    location / {{ auth_request /verify; auth_request_set $u $upstream_http_remote_user; add_header X-User $u; root {folder}/pages; }}
    location = /verify {{ internal; proxy_pass http://{name}/auth/verify{query}; {proxy} }}
  }}
"""
PROXY = """proxy_pass_request_body off; proxy_set_header Content-Length ""; proxy_http_version 1.1;
  proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
  proxy_set_header X-Forwarded-Proto https; proxy_set_header X-Forwarded-Host builds.example.com;
  proxy_set_header X-Forwarded-Uri $request_uri; proxy_set_header X-Forwarded-Method $request_method;"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def wait_for(port):
    for _ in range(400):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise SystemExit(f"nobody listens on {port}")


def cpu(pid):
    """Seconds of CPU that a process has used."""
    fields = open(f"/proc/{pid}/stat").read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICK


def token():
    """A token as a cookie has it, and its SHA-256 as the database has it."""
    raw = secrets.token_bytes(32)
    return urlsafe_b64encode(raw).decode().rstrip("="), hashlib.sha256(raw).digest()


def records(database, url):
    """An application and sessions that are in it, as enrolment, sign-in and entry would leave them."""
    now = time.time_ns() // 1000
    app = (1, "Builds", "forward_auth", f"https://{HOST}", "", "", "", "agent", None, "phr", now)
    cookies, sessions, entered = [], [], []
    for n in range(VISITORS):
        text, hashed = token()
        _, session = token()
        cookies.append(text)
        sessions.append((session, 1, "c", now, now, now + 43_200_000_000, "loopback", "bench", 1, "passkey", 3, now))
        entered.append((f"sid{n}", hashed, 1, session, b"c", "", now, 2**63 - 1, 0))
    tables = [
        ("applications", "id, name, kind, origin, redirect_uris, logout_uris, backchannel_uri, roles, max_age, acr, created_at", [app]),
        ("sessions", "token_hash, person_id, csrf, created_at, used_at, ends_at, network, agent, credential_id, factor, assurance, proved_at", sessions),
        ("application_sessions", "sid, token_hash, application_id, session, code_hash, scope, created_at, expires_at, tries", entered),
    ]
    if url:
        def literal(value):
            if isinstance(value, bytes):
                return "'\\x" + value.hex() + "'"
            return "NULL" if value is None else f"'{value}'" if isinstance(value, str) else str(value)
        script = "".join(f"INSERT INTO {t} ({c}) VALUES ({', '.join(map(literal, v))});\n" for t, c, rows in tables for v in rows)
        subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", url], input=f"BEGIN;\n{script}COMMIT;\nANALYZE;\n", text=True, check=True)
    else:
        db = sqlite3.connect(database)
        with db:
            for table, columns, rows in tables:
                db.executemany(f"INSERT INTO {table} ({columns}) VALUES ({', '.join('?' * len(rows[0]))})", rows)
        db.close()
    return cookies


# One request after the other for each visitor in turn, written before the clock starts.
LUA = """
local requests, next = {}, 0
function init()
  for line in io.lines("%s") do
    requests[#requests + 1] = wrk.format("GET", "/page", { ["Cookie"] = "__Host-warifu-application=" .. line, ["Host"] = "localhost" })
  end
end
function request()
  next = next %% #requests + 1
  return requests[next]
end
"""


def wrk(port, script):
    """Requests in a second, and the time in ms that half and 99 of 100 took."""
    command = [*PROXY_CORE, "wrk", "-t1", f"-c{CONNECTIONS}", f"-d{SECONDS}s", "--latency", "-s", script,
               f"http://127.0.0.1:{port}/page"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in said:
        raise SystemExit(said)
    def ms(share):
        n, unit = re.search(rf"{share}%\s+([\d.]+)(us|ms|s)\b", said).groups()
        return float(n) * {"us": 0.001, "ms": 1, "s": 1000}[unit]
    requests = int(re.search(r"(\d+) requests in", said).group(1))
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said).group(1)), ms(50), ms(99), requests


def main():
    url = sys.argv[1] if len(sys.argv) > 1 else None
    with tempfile.TemporaryDirectory(prefix="warifu-bench-") as folder:
        data = os.path.join(folder, "data")
        os.makedirs(os.path.join(folder, "pages"))
        open(os.path.join(folder, "pages", "page"), "w").write("a page\n")
        os.chmod(folder, 0o755)
        base = [os.path.join(RELEASE, "warifu"), "--log", "error"]
        where = ["--data", data] + (["--database", url] if url else [])
        os.makedirs(data)
        subprocess.run([*base, "enrol", *where, "--email", "agent@example.com", "--role", "agent"], check=True,
                       stdout=subprocess.DEVNULL)
        cookies = records(os.path.join(data, "warifu.db"), url)
        script = os.path.join(folder, "visitors.lua")
        listed = os.path.join(folder, "visitors")
        open(listed, "w").write("\n".join(cookies) + "\n")
        open(script, "w").write(LUA % listed)
        backs, fronts = ({name: free_port() for name in NAMES} for _ in range(2))
        backs["warifu6"] = backs["warifu"]
        temporary = " ".join(f"{k}_temp_path {folder}/{k};" for k in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        queries = {"warifu": "?tell=user"}
        servers = "".join(FRONT.format(name=name, back=backs[name], front=fronts[name], folder=folder, proxy=PROXY,
                                       query=queries.get(name, "")) for name in NAMES)
        conf = os.path.join(folder, "nginx.conf")
        with open(conf, "w") as f:
            f.write(NGINX.format(folder=folder, temporary=temporary, fronts=servers))
        running = {}
        def start(name, command):
            running[name] = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        try:
            start("warifu", [*SERVER_CORE, *base, "serve", *where, "--listen", f"127.0.0.1:{backs['warifu']}",
                             "--trusted-proxy", "127.0.0.0/8"])
            wait_for(backs["warifu"])
            for name, headers in (("yes", []), ("yes6", answer(backs["warifu"], cookies[0]))):
                start(name, [*SERVER_CORE, os.path.join(RELEASE, "examples", "always_yes"), str(backs[name]), *headers])
            start("nginx", [*PROXY_CORE, "/usr/sbin/nginx", "-p", folder, "-c", conf])
            for port in (*backs.values(), *fronts.values()):
                wait_for(port)
            running_as = {name: running["warifu" if name == "warifu6" else name].pid for name in NAMES}
            measure(running_as, cookies[0], script, fronts)
        finally:
            for process in running.values():
                process.send_signal(signal.SIGTERM)
            for process in running.values():
                process.wait()


def answer(port, cookie):
    """The headers of Warifu's own answer, as always_yes takes them."""
    headers = {"Cookie": f"__Host-warifu-application={cookie}", "X-Forwarded-For": "127.0.0.1",
               "X-Forwarded-Proto": "https", "X-Forwarded-Host": HOST}
    found = urllib.request.urlopen(urllib.request.Request(f"http://127.0.0.1:{port}/auth/verify", headers=headers))
    return [f"{name}={value}" for name, value in found.getheaders() if name not in ("date", "connection")]


def measure(pids, cookie, script, fronts):
    request = urllib.request.Request(f"http://127.0.0.1:{fronts['warifu']}/page",
                                     headers={"Cookie": f"__Host-warifu-application={cookie}"})
    assert urllib.request.urlopen(request).headers["X-User"] == "1"
    rates, times, costs = ({name: [] for name in NAMES} for _ in range(3))
    for name in NAMES:
        wrk(fronts[name], script)
    for _ in range(ROUNDS):
        for name in NAMES:
            before = cpu(pids[name])
            rate, half, most, requests = wrk(fronts[name], script)
            rates[name].append(rate)
            times[name].append((half, most))
            costs[name].append((cpu(pids[name]) - before) / requests * 1e6)
    apart = ", a core for nginx and wrk, another for the server" if PROXY_CORE else ""
    print(f"{ROUNDS} rounds of {SECONDS} s in turn, {CONNECTIONS} connections, {VISITORS} visitors, one nginx worker{apart}\n")
    print("| behind nginx auth_request | requests/s, median (lowest to highest) | p50 ms | p99 ms | CPU of it, µs/request |")
    print("|---|---|---|---|---|")
    for name, title in NAMES.items():
        half, most = (statistics.median(t[i] for t in times[name]) for i in (0, 1))
        print(f"| {title} | {spread(rates[name], ',.0f')} | {half:.2f} | {most:.2f} | {spread(costs[name], '.1f')} |")
    print()
    for name, other in BESIDE.items():
        shares = [w / y for w, y in zip(rates[name], rates[other])]
        beyond = [w - y for w, y in zip(costs[name], costs[other])]
        print(f"{NAMES[name]} beside {NAMES[other]}, round by round: {spread(shares, '.1%')} of the rate, "
              f"{spread(beyond, '.1f')} µs of CPU beyond it")


def spread(values, form):
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


if __name__ == "__main__":
    main()
