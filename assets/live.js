// Server-sent events → partial updates, and the timer of the own session.
//
// <main data-live="/cases/HC-1/events">: each event names in its data the elements that are out
// of date, one selector in a line; they are loaded again from the page's own address. These
// requests are quiet: the server does not count them as use of the session, so that an open
// window never keeps a session alive.

const source = document.querySelector("[data-live]");
if (source) {
  const events = new EventSource(source.dataset.live);
  const waiting = new Set();
  let timer;
  const flush = () => {
    if (document.hidden) return;
    for (const target of waiting) {
      document.dispatchEvent(new CustomEvent("warifu:load", {
        detail: { url: location.href, target, quiet: true },
      }));
    }
    waiting.clear();
  };
  events.addEventListener("stale", ({ data }) => {
    for (const selector of data.split("\n")) if (/^#[\w-]+$/.test(selector)) waiting.add(selector);
    clearTimeout(timer);
    timer = setTimeout(flush, 150);
  });
  // The session is over or suspended: the page says so instead of going on as if it held.
  events.addEventListener("ended", () => { events.close(); location.reload(); });
  document.addEventListener("visibilitychange", flush);
  addEventListener("pagehide", () => events.close());
}

// Two minutes before the idle limit a warning appears; it does not extend anything by itself.
const session = document.getElementById("session");
const warning = document.getElementById("idle-warning");
if (session?.dataset.idleLeft && warning) {
  const left = Number(session.dataset.idleLeft) * 1000;
  setTimeout(() => {
    warning.hidden = false;
    const region = document.getElementById("announce");
    if (region) region.textContent = warning.querySelector("b")?.textContent ?? "";
  }, Math.max(left - 120_000, 0));
  setTimeout(() => location.reload(), left + 1000);
}
