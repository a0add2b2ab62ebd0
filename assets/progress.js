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

// <form data-begins="#id"> starts something and leaves this page where it is, as a download does.
// The element is loaded again until the form is gone from it; then it says itself how to go on.
let looks = 0;
const begun = () => document.querySelector("form[data-begins]");

function look() {
  const form = begun();
  const target = form && document.querySelector(form.dataset.begins);
  if (target && looks > 0) { looks -= 1; target.dataset.progress = "500"; }
  next();
}

// Nothing has begun while another module still asks for a key.
document.addEventListener("submit", ({ target, defaultPrevented }) => {
  if (target.dataset?.begins && !defaultPrevented) { looks = 20; look(); }
});
document.addEventListener("warifu:swapped", look);
document.addEventListener("visibilitychange", () => { if (!document.hidden) next(); });
next();
