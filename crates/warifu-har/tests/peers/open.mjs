// node open.mjs BEFORE.har AFTER.har
// Fails unless AFTER is a valid HAR 1.2 for @har-sdk/validator wherever BEFORE is one, and
// PerfCascade, a HAR viewer, draws as many requests from AFTER as from BEFORE.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { JSDOM } from "jsdom";

const require = createRequire(import.meta.url);
const { HarValidator } = require("@har-sdk/validator");

const read = (path) => JSON.parse(readFileSync(path, "utf8"));

async function problems(har) {
  const found = await new HarValidator().verify(har);
  return found.map((e) => `${e.instancePath} ${e.message}`);
}

function drawn(har) {
  const dom = new JSDOM("<!doctype html><body></body>", { runScripts: "outside-only" });
  // jsdom lays nothing out; the viewer only needs some size for its labels.
  dom.window.eval("SVGElement.prototype.getBBox = () => ({x: 0, y: 0, width: 10, height: 10});"
    + "SVGElement.prototype.getComputedTextLength = () => 10;");
  dom.window.eval(readFileSync(require.resolve("perf-cascade/dist/perf-cascade.js"), "utf8"));
  dom.window.har = JSON.stringify(har);
  dom.window.eval("document.body.appendChild(perfCascade.fromHar(JSON.parse(har)))");
  return dom.window.document.querySelectorAll(".row-item").length;
}

const [before, after] = process.argv.slice(2).map(read);
const known = new Set(await problems(before));
const fresh = (await problems(after)).filter((p) => !known.has(p));
if (known.size > 0 || fresh.length > 0) {
  console.error(`before: ${[...known].join("\n")}\nafter: ${fresh.join("\n")}`);
  process.exit(1);
}
const rows = [drawn(before), drawn(after)];
if (rows[0] === 0 || rows[0] !== rows[1]) {
  console.error(`the viewer draws ${rows[1]} requests instead of ${rows[0]}`);
  process.exit(1);
}
console.log(`valid, ${rows[1]} requests drawn`);
