// Command palette over any page: Ctrl K (or ⌘ K), or the field in the rail. Without a script that
// field leads to the search page. What is typed goes to /palette; the answer is a list of options
// which swap.js puts in place.

const opener = document.querySelector("[data-palette]");
let dialog;
let timer;

const input = () => dialog.querySelector("input");
const options = () => [...dialog.querySelectorAll("[role=option]")];

function build() {
  const template = document.getElementById("palette-template");
  if (!template) return null;
  document.body.append(document.importNode(template.content, true));
  const made = document.getElementById("palette");
  made.addEventListener("close", () => opener.focus());
  made.addEventListener("click", (event) => {
    if (event.target === made) made.close();
    const option = event.target.closest("[role=option]");
    if (option) go(option, event.ctrlKey || event.metaKey);
  });
  made.querySelector("input").addEventListener("input", (event) => {
    if (event.isComposing) return;
    clearTimeout(timer);
    timer = setTimeout(ask, 120);
  });
  made.querySelector("input").addEventListener("compositionend", ask);
  made.addEventListener("keydown", keys);
  return made;
}

function ask() {
  const url = new URL(opener.dataset.palette, location.href);
  url.searchParams.set("q", input().value);
  url.searchParams.set("from", location.pathname);
  document.dispatchEvent(new CustomEvent("warifu:load", {
    detail: { url: url.href, target: "#palette-found" },
  }));
}

function select(option) {
  for (const other of options()) other.setAttribute("aria-selected", String(other === option));
  input().setAttribute("aria-activedescendant", option?.id ?? "");
  option?.scrollIntoView({ block: "nearest" });
}

function go(option, newTab) {
  const href = option.dataset.href;
  if (!href) return;
  if (newTab) open(href, "_blank", "noopener");
  else location.assign(href);
}

function keys(event) {
  if (event.isComposing || event.keyCode === 229) return;
  const all = options();
  const at = all.findIndex((option) => option.getAttribute("aria-selected") === "true");
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const step = event.key === "ArrowDown" ? 1 : -1;
    if (all.length) select(all[(at + step + all.length) % all.length]);
  } else if (event.key === "Enter") {
    event.preventDefault();
    if (all[at]) go(all[at], event.ctrlKey || event.metaKey);
    else location.assign(`/search?q=${encodeURIComponent(input().value)}`);
  }
}

function show() {
  dialog ??= build();
  if (!dialog) return false;
  if (!dialog.open) dialog.showModal();
  input().select();
  ask();
  return true;
}

if (opener) {
  document.addEventListener("keydown", (event) => {
    if (event.isComposing || event.key.toLowerCase() !== "k") return;
    if (!(event.ctrlKey || event.metaKey) || event.shiftKey || event.altKey) return;
    if (show()) event.preventDefault();
  });
  opener.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey) return;
    if (show()) event.preventDefault();
  });
  document.addEventListener("warifu:swapped", ({ detail }) => {
    if (detail.target === "#palette-found") select(options()[0]);
  });
}
