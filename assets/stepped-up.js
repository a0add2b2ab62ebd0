// The window that comes back from an identity provider hands the proof to the page that waits for it
// (passkeys.js), and closes.

const proof = document.querySelector("[data-stepped-up]")?.dataset.steppedUp ?? "";
const channel = new BroadcastChannel("warifu-step-up");
channel.postMessage({ proof });
channel.close();
globalThis.close();
