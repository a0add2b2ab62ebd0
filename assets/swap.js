// Partial updates: fetch a fragment, put it in place of an element, keep focus and scroll.
//
// Other modules import nothing; they ask with an event, so that only this file turns text into
// a document (one Trusted Types policy):
//   document.dispatchEvent(new CustomEvent("warifu:load", { detail: { url, target, quiet } }))
// Markup asks with attributes:
//   <a href data-swap="#id">            the answer's #id replaces the page's
//   <form data-swap="#id">              the same, sent by fetch; with data-swap-on="change" or
//                                       "input" the form is sent while it is filled in
// The server answers with a whole page or with the block alone; both carry the element.

const policy = globalThis.trustedTypes?.createPolicy("warifu", { createHTML: (text) => text });

function parse(text) {
  return new DOMParser().parseFromString(policy ? policy.createHTML(text) : text, "text/html");
}

function announce(text) {
  const region = document.getElementById("announce");
  if (region && text) region.textContent = text;
}

// What is being typed must survive: the element with focus is found again by id or name, with
// its value and its selection.
function remember(root) {
  const active = document.activeElement;
  const kept = { scrolls: [] };
  if (active && root.contains(active)) {
    kept.key = active.id ? `#${CSS.escape(active.id)}` : null;
    if (!kept.key && active.name) kept.key = `[name="${CSS.escape(active.name)}"]`;
    if (!kept.key && active.getAttribute("href")) {
      kept.key = `a[href="${CSS.escape(active.getAttribute("href"))}"]`;
    }
    if ("selectionStart" in active && !["checkbox", "radio"].includes(active.type)) {
      kept.value = active.value;
      kept.range = [active.selectionStart, active.selectionEnd];
    }
  }
  for (const box of root.querySelectorAll("[id][tabindex], .scroll, .case-scroll, .talk-scroll")) {
    if (box.scrollTop || box.scrollLeft) {
      kept.scrolls.push([box.id, box.className, box.scrollTop, box.scrollLeft]);
    }
  }
  return kept;
}

function restore(root, kept) {
  for (const [id, name, top, left] of kept.scrolls) {
    const box = id ? document.getElementById(id) : root.getElementsByClassName(name)[0];
    if (box) [box.scrollTop, box.scrollLeft] = [top, left];
  }
  if (!kept.key) return;
  const again = root.matches(kept.key) ? root : root.querySelector(kept.key);
  if (!again) return;
  if (kept.value !== undefined && "value" in again && again.value !== kept.value) {
    again.value = kept.value;
  }
  again.focus({ preventScroll: true });
  if (kept.range?.[0] != null) {
    try { again.setSelectionRange(...kept.range); } catch { /* a type without a selection */ }
  }
}

const running = new Map();

async function load(url, target, { request = {}, quiet = false, push = false } = {}) {
  const before = document.querySelector(target);
  if (!before) return false;
  running.get(target)?.abort();
  const abort = new AbortController();
  running.set(target, abort);
  before.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, {
      ...request,
      signal: abort.signal,
      credentials: "same-origin",
      // The server does not count a quiet request as use of the session.
      headers: { "X-Warifu-Fragment": target, ...(quiet ? { "X-Warifu-Quiet": "1" } : {}) },
    });
    if (answer.status === 401 || answer.status === 403 || answer.redirected) {
      if (quiet) return false;
      if (answer.redirected) { location.assign(answer.url); return true; }
    }
    const page = parse(await answer.text());
    const after = page.querySelector(target);
    const place = document.querySelector(target);
    if (!after || !place) {
      if (!quiet) location.assign(url);
      return false;
    }
    // Somebody touches their key for a form in it.
    if (quiet && place.querySelector("[data-asking], [data-signing]")) return false;
    const kept = remember(place);
    place.replaceWith(document.adoptNode(after));
    restore(after, kept);
    if (push) history.pushState({}, "", url);
    announce(after.dataset.announce);
    document.dispatchEvent(new CustomEvent("warifu:swapped", { detail: { target, quiet } }));
    return true;
  } catch (error) {
    if (error.name !== "AbortError" && !quiet) announce(document.body.dataset.offline);
    return false;
  } finally {
    if (running.get(target) === abort) running.delete(target);
    document.querySelector(target)?.removeAttribute("aria-busy");
  }
}

function send(form, submitter) {
  const data = new FormData(form, submitter ?? undefined);
  const method = (submitter?.getAttribute("formmethod") ?? form.method).toUpperCase();
  const action = new URL(submitter?.getAttribute("formaction") ?? form.action, location.href);
  const target = submitter?.dataset.swap ?? form.dataset.swap;
  if (method === "GET") {
    action.search = new URLSearchParams(data).toString();
    return load(action.href, target, { push: form.dataset.push !== undefined });
  }
  const body = form.enctype === "multipart/form-data" ? data : new URLSearchParams(data);
  return load(action.href, target, { request: { method, body } });
}

document.addEventListener("warifu:load", ({ detail }) => {
  load(detail.url, detail.target, { quiet: detail.quiet });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest?.("a[data-swap]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  load(link.href, link.dataset.swap, { push: link.dataset.push !== undefined });
});

document.addEventListener("submit", (event) => {
  const form = event.target;
  const submitter = event.submitter;
  if (!(submitter?.dataset.swap ?? form.dataset.swap) || form.dataset.passkey) return;
  event.preventDefault();
  send(form, submitter);
});

let timer;
for (const kind of ["change", "input"]) {
  document.addEventListener(kind, (event) => {
    const form = event.target.form;
    if (form?.dataset.swapOn !== kind || event.isComposing) return;
    clearTimeout(timer);
    timer = setTimeout(() => send(form, form.querySelector("[data-swap-default]")), 250);
  });
}

addEventListener("popstate", () => location.reload());

// <input type="checkbox" data-check-all="name"> marks every box of that name in its form.
document.addEventListener("change", (event) => {
  const name = event.target.dataset?.checkAll;
  if (!name || !event.target.form) return;
  for (const box of event.target.form.querySelectorAll(`input[name="${CSS.escape(name)}"]`)) {
    box.checked = event.target.checked;
  }
});

// Buttons that print or copy are of no use without a script, so they appear only with it.
for (const button of document.querySelectorAll("[data-print], [data-copy]")) button.hidden = false;
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-print], [data-copy]");
  if (!button) return;
  if (button.dataset.print !== undefined) print();
  else navigator.clipboard.writeText(new URL(button.dataset.copy, location.href).href)
    .then(() => announce(button.dataset.done));
});
