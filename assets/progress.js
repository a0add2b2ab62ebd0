// Progress of something that runs on the server: <section id="…" data-progress="2000"> is loaded
// again every so many milliseconds until it comes without that attribute. Without a script the
// page carries a link that does the same. Quiet: it does not count as use of the session.

let timer;

function next() {
  clearTimeout(timer);
  const running = document.querySelector("[data-progress]");
  if (!running) return;
  const wait = Math.max(Number(running.dataset.progress) || 2000, 500);
  timer = setTimeout(() => {
    if (document.hidden) { next(); return; }
    document.dispatchEvent(new CustomEvent("warifu:load", {
      detail: { url: location.href, target: `#${running.id}`, quiet: true },
    }));
    // Also when the request fails: the server may only be restarting.
    clearTimeout(timer);
    timer = setTimeout(next, wait * 4);
  }, wait);
}

document.addEventListener("warifu:swapped", next);
document.addEventListener("visibilitychange", () => { if (!document.hidden) next(); });
next();
