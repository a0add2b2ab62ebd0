// Keeps a text that has not been sent, per case, in this browser: <form data-draft="HC-1">. It is
// removed when the server has taken it, which the address of the answer says (#m-12 for a message,
// #new for a case), and after a day. Sending alone is not enough: the session may be over by then.

const DAY = 86_400_000;
const key = (form) => `warifu.draft.${form.dataset.draft}`;

function read(form) {
  try {
    const draft = JSON.parse(localStorage.getItem(key(form)) ?? "null");
    if (!draft || Date.now() - draft.at > DAY) { localStorage.removeItem(key(form)); return null; }
    return draft;
  } catch { return null; }
}

function store(form, draft) {
  try { localStorage.setItem(key(form), JSON.stringify(draft)); return true; } catch { return false; }
}

// The page that comes when a text was taken.
function taken() {
  const done = location.hash === "#new" ? "new"
    : /^#m-\d+$/.test(location.hash) && document.querySelector("form[data-draft]")?.dataset.draft;
  const form = { dataset: { draft: done } };
  if (done && read(form)?.sent) localStorage.removeItem(key(form));
}

function attach(form) {
  const text = form.querySelector("textarea");
  const saved = form.querySelector("[data-draft-saved]");
  if (!text || form.dataset.draftReady) return;
  form.dataset.draftReady = "1";

  const draft = read(form);
  // What comes back with what is wrong was not taken.
  if (draft?.sent && text.value) store(form, { ...draft, sent: false });
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
    const kept = store(form, { text: text.value, kind, at: Date.now() });
    if (saved) saved.hidden = !kept;
  };
  form.addEventListener("input", () => {
    if (saved) saved.hidden = true;
    clearTimeout(timer);
    timer = setTimeout(keep, 400);
  });
  form.addEventListener("submit", () => {
    clearTimeout(timer);
    keep();
    const draft = read(form);
    if (draft) store(form, { ...draft, sent: true });
  });
}

// The paper clip stands for the file field; what was chosen is said beside it.
document.addEventListener("change", ({ target }) => {
  const said = target.closest?.("[data-files]")?.querySelector("output");
  if (said) said.textContent = [...target.files].map((file) => file.name).join(", ");
});

const all = () => document.querySelectorAll("form[data-draft]").forEach(attach);
taken();
all();
document.addEventListener("warifu:swapped", all);

// Whoever signs out leaves nothing behind.
document.addEventListener("submit", (event) => {
  if (!event.target.action?.endsWith("/sign-out")) return;
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith("warifu.draft.")) localStorage.removeItem(name);
  }
});
