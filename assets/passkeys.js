// Passkeys: sign in, and enrol one.
//
// <form data-passkey="sign-in|enrol" data-options="…" data-verify="…" data-next="…">. The fields
// of the form (csrf, invitation, name …) go with both requests as JSON. The options come as
// { publicKey, … }; whatever else the server puts beside publicKey is sent back to it. The answer
// to the verification may carry { next }.

const bytes = (text) => {
  const base64 = text.replace(/-/g, "+").replace(/_/g, "/");
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
};

const base64url = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
  .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

// For browsers without PublicKeyCredential.parse…FromJSON and toJSON.
function parseOptions(kind, options) {
  const native = kind === "enrol"
    ? PublicKeyCredential.parseCreationOptionsFromJSON
    : PublicKeyCredential.parseRequestOptionsFromJSON;
  if (native) return native.call(PublicKeyCredential, options);
  const parsed = { ...options, challenge: bytes(options.challenge) };
  if (options.user) parsed.user = { ...options.user, id: bytes(options.user.id) };
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    if (options[list]) parsed[list] = options[list].map((c) => ({ ...c, id: bytes(c.id) }));
  }
  return parsed;
}

function toJson(credential) {
  if (credential.toJSON) {
    try { return credential.toJSON(); } catch { /* some password managers break it */ }
  }
  const { response } = credential;
  const json = {
    id: credential.id,
    rawId: base64url(credential.rawId),
    type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
    authenticatorAttachment: credential.authenticatorAttachment ?? undefined,
    response: { clientDataJSON: base64url(response.clientDataJSON) },
  };
  for (const part of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
    if (response[part]) json.response[part] = base64url(response[part]);
  }
  if (response.getTransports) json.response.transports = response.getTransports();
  return json;
}

async function post(url, csrf, body) {
  const answer = await fetch(url, {
    method: "POST",
    credentials: "same-origin",
    headers: {
      "Content-Type": "application/json",
      Accept: "application/json",
      "X-CSRF-Token": csrf,
    },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error("refused");
  return answer.status === 204 ? {} : answer.json();
}

function show(form, problem) {
  const scope = form.closest("main") ?? document;
  for (const box of scope.querySelectorAll("[data-passkey-problem]")) {
    box.hidden = box.dataset.passkeyProblem !== problem;
  }
}

let pending;

async function run(form, { mediation } = {}) {
  const kind = form.dataset.passkey;
  pending?.abort();
  pending = new AbortController();
  const { signal } = pending;
  const fields = Object.fromEntries(
    [...new FormData(form)].filter(([, value]) => typeof value === "string"),
  );
  const csrf = fields.csrf ?? document.querySelector("meta[name=csrf]")?.content ?? "";
  delete fields.csrf;
  const { publicKey, ...rest } = await post(form.dataset.options, csrf, fields);
  delete rest.mediation;
  const options = { publicKey: parseOptions(kind, publicKey), signal };
  if (mediation) options.mediation = mediation;
  const credential = kind === "enrol"
    ? await navigator.credentials.create(options)
    : await navigator.credentials.get(options);
  const answer = await post(form.dataset.verify, csrf, {
    ...fields, ...rest, credential: toJson(credential),
  });
  location.assign(local(answer.next) ?? local(form.dataset.next) ?? "/");
}

// Only a path of this site.
function local(path) {
  if (!path) return null;
  const url = new URL(path, location.href);
  return url.origin === location.origin ? url.href : null;
}

for (const form of document.querySelectorAll("form[data-passkey]")) {
  if (!globalThis.PublicKeyCredential) show(form, "unsupported");
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!globalThis.PublicKeyCredential) { show(form, "unsupported"); return; }
    const button = form.querySelector("[type=submit]");
    const wait = form.querySelector("[data-passkey-wait]");
    show(form, null);
    button.disabled = true;
    if (wait) wait.hidden = false;
    try {
      await run(form);
    } catch (error) {
      const closed = error.name === "NotAllowedError" || error.name === "AbortError";
      show(form, closed ? "closed" : "refused");
      button.disabled = false;
      if (wait) wait.hidden = true;
      button.focus();
    }
  });
}
