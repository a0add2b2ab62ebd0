#!/usr/bin/env python3
"""Writes a HAR of about MEGABYTES to standard output: generate.py MEGABYTES.

Like an hour in a single-page application, the same bytes on every run: of ten entries six are
JSON answers of 2 to 40 kB, two scripts or style sheets, one an image in base64, one a posted form;
each with 14 request and 10 response headers, cookies, a JWT, an initiator with a stack.
"""

import base64
import json
import random
import string
import sys

rnd = random.Random(20261123)
WORDS = "account order status open item value price total name first last street city note".split()
ALNUM = string.ascii_letters + string.digits


def secret(n):
    return "".join(rnd.choices(ALNUM, k=n))


def b64url(value):
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")


def sentence(n):
    return " ".join(rnd.choices(WORDS, k=n))


JWT = f"{b64url({'alg': 'RS256', 'kid': secret(20)})}.{b64url({'sub': secret(20), 'exp': 1700000000})}.{secret(342)}"
COOKIES = {name: secret(40) for name in ("sid", "csrf", "device", "_ga", "locale")}


def record():
    return {"id": secret(20), "name": sentence(2), "email": f"{secret(8)}@example.com", "count": rnd.randrange(10**6),
            "active": True, "price": rnd.random() * 100, "note": sentence(12), "url": f"https://www.example.com/items/{secret(12)}",
            "tags": rnd.sample(WORDS, 3), "owner": {"id": secret(20), "since": "2026-01-02T03:04:05.678Z"}}


def content(kind):
    if kind < 6:
        text = json.dumps({"items": [record() for _ in range(rnd.randrange(5, 100))], "next": secret(30)})
        return {"size": len(text), "mimeType": "application/json; charset=utf-8", "text": text}
    if kind < 8:
        text = "".join(f"function f{i}(a,b){{return a.{rnd.choice(WORDS)}+b['{rnd.choice(WORDS)}']?\"{sentence(3)}\":{i}}}\n" for i in range(rnd.randrange(100, 900)))
        return {"size": len(text), "mimeType": "application/javascript", "text": text}
    if kind == 8:
        raw = rnd.randbytes(rnd.randrange(1000, 60000))
        return {"size": len(raw), "mimeType": "image/png", "text": base64.b64encode(raw).decode(), "encoding": "base64"}
    return {"size": 0, "mimeType": "text/html"}


def entry(n):
    kind = n % 10
    url = f"https://www.example.com/api/v1/{rnd.choice(['users', 'orders', 'items'])}/{secret(12)}?page={n}&token={secret(24)}"
    pairs = lambda d: [{"name": k, "value": v} for k, v in d.items()]
    request = {":authority": "www.example.com", ":method": "GET", ":path": url[23:], ":scheme": "https", "accept": "application/json",
               "accept-encoding": "gzip, deflate, br", "accept-language": "en-US,en;q=0.9", "authorization": f"Bearer {JWT}",
               "cookie": "; ".join(f"{k}={v}" for k, v in COOKIES.items()), "referer": "https://www.example.com/app",
               "sec-fetch-mode": "cors", "sec-fetch-site": "same-origin", "x-request-id": secret(32),
               "user-agent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Safari/537.36"}
    response = {"content-type": "application/json; charset=utf-8", "date": "Mon, 23 Nov 2026 10:20:30 GMT", "etag": f'W/"{secret(22)}"',
                "cache-control": "private, max-age=0", "server": "nginx", "vary": "Accept-Encoding", "x-trace": secret(32),
                "set-cookie": f"csrf={secret(40)}; Path=/; HttpOnly; Secure; SameSite=Lax", "strict-transport-security": "max-age=31536000",
                "x-frame-options": "DENY"}
    frame = lambda i: {"functionName": rnd.choice(WORDS), "scriptId": str(i), "url": f"https://www.example.com/assets/main.{i:08x}.js", "lineNumber": i, "columnNumber": n}
    e = {"_initiator": {"type": "script", "stack": {"callFrames": [frame(i) for i in range(8)]}}, "_priority": "High", "_resourceType": "xhr",
         "cache": {}, "connection": "443", "pageref": "page_1",
         "request": {"method": "GET", "url": url, "httpVersion": "h2", "headers": pairs(request), "cookies": pairs(COOKIES),
                     "queryString": [{"name": "page", "value": str(n)}, {"name": "token", "value": secret(24)}], "headersSize": -1, "bodySize": 0},
         "response": {"status": 200, "statusText": "OK", "httpVersion": "h2", "headers": pairs(response), "cookies": [],
                      "content": content(kind), "redirectURL": "", "headersSize": -1, "bodySize": -1, "_transferSize": 1234},
         "serverIPAddress": "93.184.216.34", "startedDateTime": "2026-11-23T10:20:30.123Z", "time": rnd.random() * 100,
         "timings": {"blocked": rnd.random(), "dns": -1, "ssl": -1, "connect": -1, "send": rnd.random(), "wait": rnd.random() * 90, "receive": 1}}
    if kind == 9:
        e["request"]["postData"] = {"mimeType": "application/x-www-form-urlencoded", "text": f"user={secret(10)}&password={secret(16)}&note=a+b"}
    return e


def main():
    size = int(sys.argv[1]) * 1_000_000
    out = sys.stdout
    out.write('{"log":{"version":"1.2","creator":{"name":"WebInspector","version":"537.36"},"pages":[],"entries":[')
    done, n = 0, 0
    while done < size:
        text = json.dumps(entry(n), ensure_ascii=False)
        out.write(("," if n else "") + "\n" + text)
        done += len(text)
        n += 1
    out.write("]}}\n")


main()
