// The window in which a certificate was shown for a protected action: hands the proof to the page that
// asked for it, in the same browser, and closes.
const proof = document.querySelector("[data-certificate-proof]")?.dataset.certificateProof;
if (proof) {
  const channel = new BroadcastChannel("warifu-step-up");
  channel.postMessage({ step_up: proof });
  channel.close();
  window.close();
}
