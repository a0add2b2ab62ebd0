// Shortcuts. Everything they do can also be done with a link or a button: an element takes one
// with data-key="r" or data-key="g l". Single keys do nothing in a text field, while a text is
// being composed, or when somebody turned them off (WCAG 2.1.4); they can be changed on the page
// /shortcuts, which keeps them in this browser only.

const store = {
  read() {
    try { return JSON.parse(localStorage.getItem("warifu.keys") ?? "{}"); } catch { return {}; }
  },
  write(value) { localStorage.setItem("warifu.keys", JSON.stringify(value)); },
};

let settings = store.read(); // { off: bool, map: { "r": "q" } }: the key of the page → your key

const yours = (key) => settings.map?.[key] ?? key;

function typing(target) {
  return target.closest?.("input:not([type=checkbox], [type=radio], [type=button], [type=submit]), textarea, select, [contenteditable]");
}

const targets = () => [...document.querySelectorAll("[data-key]")]
  .filter((element) => element.checkVisibility?.() ?? element.offsetParent !== null);

function press(element) {
  if (element.dataset.keyFocus !== undefined) { element.focus(); element.select?.(); return; }
  if (element.matches("input[type=radio], input[type=checkbox]")) {
    element.click();
    const next = element.dataset.keyThen && document.querySelector(element.dataset.keyThen);
    (next ?? element).focus();
    return;
  }
  if (element.matches("select, textarea, input")) { element.focus(); return; }
  if (element.matches("details")) {
    element.open = true;
    (element.querySelector("input:not([type=hidden]), select, textarea") ?? element.firstElementChild)?.focus();
    return;
  }
  element.click();
}

// J and K walk through the rows of a list without opening them; Enter opens.
function walk(step) {
  const rows = [...document.querySelectorAll("[data-rows] a[data-row]")];
  if (!rows.length) return false;
  const at = rows.indexOf(document.activeElement);
  const current = at >= 0 ? at : rows.findIndex((row) => row.hasAttribute("aria-current"));
  const next = rows[Math.min(Math.max(current + step, 0), rows.length - 1)];
  next.focus();
  next.scrollIntoView({ block: "nearest" });
  return true;
}

// X ticks the box of the row that has the focus, for what can be done with many.
function tick() {
  const box = document.activeElement?.closest?.("tr")?.querySelector("input[type=checkbox]");
  box?.click();
  return Boolean(box);
}

// Esc closes what a shortcut has opened in place, without deciding.
function close() {
  const open = document.querySelector(".props details[open]");
  if (!open) return;
  open.open = false;
  open.querySelector("summary").focus();
}

let prefix = "";
let prefixTimer;

document.addEventListener("keydown", (event) => {
  if (event.isComposing || event.keyCode === 229) return;
  // Ctrl+Enter sends the form that is being written in.
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    const form = event.target.form;
    const button = form?.querySelector("[data-send]");
    if (button) { event.preventDefault(); form.requestSubmit(button); }
    return;
  }
  if (event.key === "Escape") { close(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
  if (settings.off || event.key.length !== 1) return;
  const key = event.key.toLowerCase();
  const pressed = prefix ? `${prefix} ${key}` : key;
  clearTimeout(prefixTimer);
  prefix = "";

  if (pressed === yours("j") || pressed === yours("k")) {
    if (walk(pressed === yours("j") ? 1 : -1)) event.preventDefault();
    return;
  }
  if (pressed === yours("x") && tick()) { event.preventDefault(); return; }
  const all = targets();
  const hit = all.find((element) => yours(element.dataset.key) === pressed);
  if (hit) { event.preventDefault(); press(hit); return; }
  if (all.some((element) => yours(element.dataset.key).startsWith(`${pressed} `))) {
    event.preventDefault();
    prefix = pressed;
    prefixTimer = setTimeout(() => { prefix = ""; }, 1500);
  }
});

// The page /shortcuts: <form data-keys> with a switch `off` and a field per key.
const form = document.querySelector("form[data-keys]");
if (form) {
  form.hidden = false;
  form.elements.off.checked = Boolean(settings.off);
  for (const field of form.querySelectorAll("input[data-of]")) field.value = yours(field.dataset.of);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const map = {};
    const taken = new Map();
    for (const field of form.querySelectorAll("input[data-of]")) {
      const key = field.value.trim().toLowerCase() || field.dataset.of;
      const double = taken.has(key);
      field.setAttribute("aria-invalid", String(double));
      if (double) { field.focus(); return; }
      taken.set(key, field);
      if (key !== field.dataset.of) map[field.dataset.of] = key;
    }
    settings = { off: form.elements.off.checked, map };
    store.write(settings);
    form.querySelector("[data-saved]").hidden = false;
  });
  form.addEventListener("reset", () => {
    settings = {};
    store.write(settings);
    setTimeout(() => {
      for (const field of form.querySelectorAll("input[data-of]")) field.value = field.dataset.of;
    });
  });
}
