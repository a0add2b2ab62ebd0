// Passkeys: sign in, enrol one, and prove oneself once more for a protected action.
//
// <form data-step-up="ACTION" data-parameters="name=value&…"> is sent only after the key was
// touched for just that: its field step_up then has the proof. The fields named in data-bound go
// into the parameters with their values. A button may be marked in place of its form.
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

// device.js signs what is sent in a session that is bound to a key of this browser.
async function signature(url, body) {
  const signed = await new Promise((resolve) => {
    const asked = { detail: { url, body, resolve }, cancelable: true };
    if (document.dispatchEvent(new CustomEvent("warifu:prove", asked))) resolve(null);
  });
  return signed ? { "Warifu-Device": signed } : {};
}

async function post(url, csrf, content) {
  const body = JSON.stringify(content);
  const answer = await fetch(url, {
    method: "POST", credentials: "same-origin", body,
    headers: {
      "Content-Type": "application/json", Accept: "application/json", "X-CSRF-Token": csrf,
      ...await signature(url, body),
    },
  });
  if (!answer.ok) throw new Error("refused");
  return answer.status === 204 ? {} : answer.json();
}

const tokenOf = (form) => form.elements.csrf?.value
  ?? document.querySelector("meta[name=csrf]")?.content ?? "";

function show(form, problem) {
  const words = "[data-passkey-problem]"; // the form's own, where several stand in the page
  const scope = form.querySelector(words) ? form : form.closest("main") ?? document;
  for (const box of scope.querySelectorAll(words)) box.hidden = box.dataset.passkeyProblem !== problem;
}

// Whoever signed in at a provider or with a certificate proves themselves there, in a window of its
// own: this page keeps what was typed. The window loses opener and name on its way; should two pages
// wait, the server takes the proof for one action only.
function elsewhere(address) {
  const channel = new BroadcastChannel("warifu-step-up");
  return new Promise((resolve, reject) => {
    const closed = () => reject(new DOMException("closed", "AbortError"));
    const end = setTimeout(closed, 300_000);
    channel.onmessage = ({ data }) => {
      clearTimeout(end);
      if (data?.proof) resolve(data.proof); else reject(new Error("refused"));
    };
    if (!open(address, "warifu-step-up", "popup,width=560,height=720")) closed();
  }).finally(() => channel.close());
}

// Asks for the key once more and leaves the proof in the form. A proof that is there already, from
// a try that failed after it, is used first.
async function stepUp(form, csrf, { dataset } = form) {
  if (form.elements.step_up) return;
  const parameters = Object.fromEntries(new URLSearchParams(dataset.parameters));
  for (const name of (dataset.bound ?? "").split(" ").filter(Boolean)) {
    parameters[name] = new FormData(form).getAll(name).join(",");
  }
  const what = { action: dataset.stepUp, parameters };
  const { publicKey, certificate, provider, ...rest } = await post("/step-up/options", csrf, what);
  const there = certificate ?? provider;
  if (there) { keep(form, await elsewhere(there)); return; }
  const options = { publicKey: parseOptions("step-up", publicKey) };
  const credential = await navigator.credentials.get(options);
  const proof = await post("/step-up/verify", csrf, {
    ...what, ...rest, credential: toJson(credential),
  });
  keep(form, proof.step_up);
}

function keep(form, proof) {
  const field = document.createElement("input");
  form.append(Object.assign(field, { type: "hidden", name: "step_up", value: proof }));
}

const problemOf = ({ name }) => (/^(NotAllowed|Abort)Error$/.test(name) ? "closed" : "refused");

let pending;

async function run(form) {
  const kind = form.dataset.passkey;
  pending?.abort();
  pending = new AbortController();
  const csrf = tokenOf(form);
  if (form.dataset.stepUp) await stepUp(form, csrf);
  const fields = Object.fromEntries(
    [...new FormData(form)].filter(([, value]) => typeof value === "string"),
  );
  delete fields.csrf;
  const { publicKey, ...rest } = await post(form.dataset.options, csrf, fields);
  delete rest.mediation;
  const options = { publicKey: parseOptions(kind, publicKey), signal: pending.signal };
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
      show(form, problemOf(error));
      button.disabled = false;
      if (wait) wait.hidden = true;
      button.focus();
    }
  });
}

// On the document: a part of the page that is loaded again (progress.js) keeps its forms working.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const { submitter } = event;
  const marked = submitter?.dataset.stepUp ? submitter : form;
  if (!marked.dataset.stepUp || form.dataset.passkey || form.elements.step_up) return;
  event.preventDefault();
  if (!globalThis.PublicKeyCredential) { show(form, "unsupported"); return; }
  show(form, null);
  form.dataset.asking = ""; // the part that it stands in is not loaded again meanwhile (swap.js)
  try {
    await stepUp(form, tokenOf(form), marked);
    form.requestSubmit(submitter);
  } catch (error) {
    show(form, problemOf(error));
    submitter?.focus();
  } finally {
    delete form.dataset.asking;
  }
});
