// Customers read times in their own zone. The server cannot know it before the browser has said
// so: it is kept in a cookie, and the one page that came without it is loaded again.

const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const kept = () => document.cookie.split("; ").find((pair) => pair.startsWith("warifu-zone="));

if (zone && /^[\w+/-]{1,64}$/.test(zone) && kept() !== `warifu-zone=${zone}`) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `warifu-zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  const shown = document.querySelector("[data-zone]")?.dataset.zone;
  // Not where cookies are refused, and not in a form that came back with what is wrong.
  if (kept() && shown !== zone && !document.querySelector("[aria-invalid=true]")) location.reload();
}
