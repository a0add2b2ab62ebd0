// The key of this browser, where it has none of its own that scripts cannot use: made once for a
// session, kept in IndexedDB, and never readable. It signs protected requests (RFC 9449).
//
// <meta name="device" content="NAME" data-register>: a key is to be bound to the session NAME.
// <form data-prove>, and a form that carries the proof of a step-up, get a last field `device`. Other
// modules ask for the signature of a request with an event:
//   new CustomEvent("warifu:prove", { detail: { url, body, resolve }, cancelable: true })

const meta = document.querySelector("meta[name=device]");
const name = meta.content;
const csrf = document.querySelector("meta[name=csrf]").content;
const ECDSA = { name: "ECDSA", namedCurve: "P-256" };
const text = new TextEncoder();

// A browser with a key of its own has bound it by then.
const BOUND = 3000;

const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

const part = (value) => base64url(text.encode(JSON.stringify(value)));

// A page that was left while it made the database, and that the browser keeps for the way back, leaves every
// other page waiting for it: for minutes, in Chromium. They go on without the key, and are not held up as long
// again until it comes.
const LATE = 2000;
let patience = LATE;
let making;
addEventListener("pagehide", () => {
  try { making?.abort(); } catch { /* it was done just now */ }
});

// The key pair of this session. Of several tabs that make one, the first has it kept.
function pair(fresh) {
  const asked = { late: false };
  const found = find(fresh, asked);
  found.then(() => { patience = LATE; }, () => {});
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      asked.late = true;
      patience = 300;
      reject(new Error("late"));
    }, patience);
  });
  return Promise.race([found, late]).finally(() => clearTimeout(timer));
}

// Whoever was given up on keeps nothing any more: by then the key may be another session's.
async function find(fresh, asked) {
  const base = await new Promise((resolve, reject) => {
    const open = indexedDB.open("warifu-device", 1);
    open.onupgradeneeded = () => {
      making = open.transaction;
      open.result.createObjectStore("keys");
    };
    open.onsuccess = () => { making = null; resolve(open.result); };
    open.onerror = () => { making = null; reject(open.error); };
  });
  try {
    return await new Promise((resolve, reject) => {
      const change = base.transaction("keys", fresh ? "readwrite" : "readonly");
      const keys = change.objectStore("keys");
      const found = keys.get("session");
      let kept = null;
      found.onsuccess = () => {
        kept = found.result?.name === name ? found.result.pair : fresh;
        if (fresh && kept === fresh && !asked.late) keys.put({ name, pair: fresh }, "session");
      };
      change.oncomplete = () => resolve(kept);
      change.onabort = () => reject(change.error);
    });
  } finally {
    base.close();
  }
}

async function post(url, headers = {}) {
  const answer = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRF-Token": csrf,
      "X-Warifu-Quiet": "1",
      ...headers,
    },
    body: "{}",
  });
  if (!answer.ok) throw new Error("refused");
  return answer.json();
}

async function sign({ privateKey, publicKey }, url, body) {
  const { nonce } = await post("/device/nonce");
  const { kty, crv, x, y } = await crypto.subtle.exportKey("jwk", publicKey);
  const signed = [
    part({ typ: "dpop+jwt", alg: "ES256", jwk: { kty, crv, x, y } }),
    part({
      jti: crypto.randomUUID(),
      iat: Math.floor(Date.now() / 1000),
      htm: "POST",
      htu: location.origin + new URL(url, location.href).pathname,
      nonce,
      body: base64url(await crypto.subtle.digest("SHA-256", text.encode(body))),
    }),
  ].join(".");
  const hash = { name: "ECDSA", hash: "SHA-256" };
  return `${signed}.${base64url(await crypto.subtle.sign(hash, privateKey, text.encode(signed)))}`;
}

async function register() {
  const own = await pair(await crypto.subtle.generateKey(ECDSA, false, ["sign", "verify"]));
  await post("/device/key", { "Warifu-Device": await sign(own, "/device/key", "{}") });
  delete meta.dataset.register;
}

// What is asked for meanwhile waits until it is known whether there is a key.
let ready = Promise.resolve();
if (meta.dataset.register !== undefined) {
  setTimeout(() => { ready = register().catch(() => {}); }, BOUND);
}

async function proof(url, body) {
  await ready;
  const own = await pair(null).catch(() => null);
  return own ? sign(own, url, body) : null;
}

document.addEventListener("warifu:prove", (event) => {
  event.preventDefault();
  const { url, body, resolve } = event.detail;
  proof(url, body).catch(() => null).then(resolve);
});

// Forms: the fields as the browser will send them, and the signature after them. A step-up comes
// first; the other modules see the form only when it is signed.
const passing = new WeakSet();

document.addEventListener("submit", async (event) => {
  const form = event.target;
  const asks = form.dataset.prove !== undefined || form.elements.step_up !== undefined;
  if (!asks || form.dataset.passkey || passing.delete(form)) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  const { submitter } = event;
  form.dataset.signing = ""; // swap.js leaves it in its place
  form.querySelector("input[name=device]")?.remove();
  const fields = [...new FormData(form, submitter ?? undefined)]
    .map(([key, value]) => [key, String(value).replace(/\r\n?|\n/g, "\r\n")]);
  const action = submitter?.getAttribute("formaction") ?? form.getAttribute("action");
  const signed = await proof(action, new URLSearchParams(fields).toString()).catch(() => null);
  if (signed) {
    const field = document.createElement("input");
    field.type = "hidden";
    field.name = "device";
    field.value = signed;
    form.append(field);
  }
  passing.add(form);
  form.requestSubmit(submitter);
  delete form.dataset.signing;
}, true);
