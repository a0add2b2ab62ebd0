// A password that can be looked at while it is typed: <button data-reveal="ID of the field" hidden>.

for (const button of document.querySelectorAll("button[data-reveal]")) {
  const field = document.getElementById(button.dataset.reveal);
  if (!field) continue;
  const show = (shown) => {
    field.type = shown ? "text" : "password";
    button.setAttribute("aria-pressed", String(shown));
  };
  show(false);
  button.hidden = false;
  button.addEventListener("click", () => show(field.type === "password"));
  // Sent as a password, so that no browser keeps it among the words that were typed.
  field.form?.addEventListener("submit", () => show(false));
}
