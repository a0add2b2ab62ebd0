// A client of OpenID Connect with a library that was not written here. The test tells it on standard input
// what to do, one JSON object a line, and reads what came of it.
import { createInterface } from "node:readline";
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, issuer, id, secret, port] = process.argv.slice(2);
const from = (path) => import(pathToFileURL(`${folder}/node_modules/${path}`));
const oidc = await from("openid-client/build/index.js");
const jose = await from("jose/dist/webapi/index.js");

const say = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const server = new URL(issuer);
const insecure = { execute: [oidc.allowInsecureRequests] };
const config = secret
  ? await oidc.discovery(server, id, secret, oidc.ClientSecretBasic(secret), insecure)
  : await oidc.discovery(server, id, undefined, oidc.None(), insecure);
const keys = jose.createRemoteJWKSet(new URL(config.serverMetadata().jwks_uri));
const kept = {};

const acts = {
  async authorize({ redirect_uri, more = {} }) {
    kept.verifier = oidc.randomPKCECodeVerifier();
    kept.state = oidc.randomState();
    kept.nonce = oidc.randomNonce();
    kept.maxAge = more.max_age === undefined ? undefined : Number(more.max_age);
    const url = oidc.buildAuthorizationUrl(config, {
      redirect_uri,
      scope: "openid profile email",
      code_challenge: await oidc.calculatePKCECodeChallenge(kept.verifier),
      code_challenge_method: "S256",
      state: kept.state,
      nonce: kept.nonce,
      ...more,
    });
    return { url: url.href };
  },
  async callback({ url, verifier }) {
    const tokens = await oidc.authorizationCodeGrant(config, new URL(url), {
      pkceCodeVerifier: verifier ?? kept.verifier,
      expectedState: kept.state,
      expectedNonce: kept.nonce,
      maxAge: kept.maxAge,
      idTokenExpected: true,
    });
    kept.tokens = tokens;
    const claims = tokens.claims();
    const user = await oidc.fetchUserInfo(config, tokens.access_token, claims.sub);
    const { alg } = jose.decodeProtectedHeader(tokens.id_token);
    return { claims, user, alg, id_token: tokens.id_token, access_token: tokens.access_token };
  },
  async user() {
    return { user: await oidc.fetchUserInfo(config, kept.tokens.access_token, kept.tokens.claims().sub) };
  },
  async leave({ to }) {
    const url = oidc.buildEndSessionUrl(config, {
      id_token_hint: kept.tokens.id_token, post_logout_redirect_uri: to, state: "bye",
    });
    return { url: url.href };
  },
};

// Where the server tells that a session ended. The first time it is not taken: it has to be told again.
let refused = false;
createServer((request, response) => {
  let body = "";
  request.on("data", (part) => { body += part; });
  request.on("end", async () => {
    if (!refused) {
      refused = true;
      response.writeHead(503).end();
      return;
    }
    try {
      const token = new URLSearchParams(body).get("logout_token");
      const { payload, protectedHeader } = await jose.jwtVerify(token, keys, {
        issuer, audience: id, typ: "logout+jwt", algorithms: ["ES256"],
      });
      say({ told: payload, header: protectedHeader });
      response.writeHead(200, { "cache-control": "no-store" }).end();
    } catch (error) {
      say({ told: null, error: String(error) });
      response.writeHead(400).end();
    }
  });
}).listen(Number(port), "127.0.0.1", () => say({ ready: true }));

for await (const line of createInterface({ input: process.stdin })) {
  const { act, ...rest } = JSON.parse(line);
  try {
    say(await acts[act](rest));
  } catch (error) {
    say({ error: error.error ?? error.code ?? error.message, cause: String(error.cause ?? "") });
  }
}
process.exit(0);
