// Keeps a text that has not been sent, per case, in this browser: <form data-draft="HC-1">. It is
// removed as soon as the form is sent, and after a day. The server keeps its own draft; this one
// is for the moment between two keystrokes and a lost connection.

const DAY = 86_400_000;
const key = (form) => `warifu.draft.${form.dataset.draft}`;

function read(form) {
  try {
    const draft = JSON.parse(localStorage.getItem(key(form)) ?? "null");
    if (!draft || Date.now() - draft.at > DAY) { localStorage.removeItem(key(form)); return null; }
    return draft;
  } catch { return null; }
}

function attach(form) {
  const text = form.querySelector("textarea");
  const saved = form.querySelector("[data-draft-saved]");
  if (!text || form.dataset.draftReady) return;
  form.dataset.draftReady = "1";

  const draft = read(form);
  if (draft && !text.value) {
    text.value = draft.text;
    // A note must never come back as a reply: the kind is part of the draft.
    const kind = form.querySelector(`input[type=radio][value="${CSS.escape(draft.kind)}"]`);
    if (kind) kind.checked = true;
    if (saved) saved.hidden = false;
  }
  let timer;
  const keep = () => {
    if (!text.value.trim()) { localStorage.removeItem(key(form)); return; }
    const kind = form.querySelector("input[type=radio]:checked")?.value ?? "";
    try {
      localStorage.setItem(key(form), JSON.stringify({ text: text.value, kind, at: Date.now() }));
      if (saved) saved.hidden = false;
    } catch { if (saved) saved.hidden = true; }
  };
  form.addEventListener("input", () => {
    if (saved) saved.hidden = true;
    clearTimeout(timer);
    timer = setTimeout(keep, 400);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    localStorage.removeItem(key(form));
  });
}

const all = () => document.querySelectorAll("form[data-draft]").forEach(attach);
all();
document.addEventListener("warifu:swapped", all);

// Whoever signs out leaves nothing behind.
document.addEventListener("submit", (event) => {
  if (!event.target.action?.endsWith("/sign-out")) return;
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith("warifu.draft.")) localStorage.removeItem(name);
  }
});
