// An identity provider for the tests: node-oidc-provider, which is certified and not ours.
//
//   node identity-provider.mjs FOLDER ORIGIN [PORT]
//
// FOLDER has node_modules, ORIGIN is the Warifu that its one client belongs to. What it says about
// the next person who signs in is set by POST /test/next: { login, acr, amr }. POST /test/sign makes
// a token of the claims that are sent, signed with the provider's key or, on request, with another.
// After /test/hold, whoever asks for a token waits until /test/go; /test/held answers when somebody does.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const [folder, origin, port = "0"] = process.argv.slice(2);
const load = (path) => import(pathToFileURL(`${folder}/node_modules/${path}`));
const { default: Provider } = await load("oidc-provider/lib/index.js");
const jose = await load("jose/dist/webapi/index.js");

const pair = () => jose.generateKeyPair("ES256", { extractable: true });
const [own, other] = await Promise.all([pair(), pair()]);
const kid = Math.random().toString(36).slice(2);
const jwk = { ...(await jose.exportJWK(own.privateKey)), kid, use: "sig", alg: "ES256" };

let next = { login: "nobody", acr: undefined, amr: undefined };
let logoutToken = "";
// A promise with what resolves it.
const gate = () => {
  const made = {};
  made.promise = new Promise((resolve) => { made.resolve = resolve; });
  return made;
};
let held = gate();
let go;

// What the provider tells the client behind the browser's back. Its dispatcher refuses addresses of
// this machine, where the tests are.
const tell = (address, { dispatcher, ...options }) => {
  const body = String(options.body ?? "");
  if (body.startsWith("logout_token=")) logoutToken = new URLSearchParams(body).get("logout_token");
  return fetch(address, options);
};

const server = createServer();
await new Promise((resolve) => server.listen(Number(port), "127.0.0.1", resolve));
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  acrValues: ["phr", "phrh", "lesser"],
  claims: { openid: ["sub", "acr", "amr", "auth_time", "sid"], acr: null, amr: null, auth_time: null },
  clients: [{
    client_id: "warifu",
    client_secret: "a-secret-of-the-tests-that-is-long-enough",
    redirect_uris: [`${origin}/sign-in/oidc/callback`],
    post_logout_redirect_uris: [`${origin}/signed-out`],
    backchannel_logout_uri: `${origin}/oidc/backchannel-logout`,
    backchannel_logout_session_required: true,
    id_token_signed_response_alg: "ES256",
  }],
  conformIdTokenClaims: false,
  cookies: { keys: ["a key of the tests"] },
  features: {
    backchannelLogout: { enabled: true },
    devInteractions: { enabled: false },
    rpInitiatedLogout: { enabled: true },
  },
  fetch: tell,
  findAccount: (_, sub) => ({ accountId: sub, claims: () => ({ sub }) }),
  interactions: { url: (_, interaction) => `/interaction/${interaction.uid}` },
  jwks: { keys: [jwk] },
  async loadExistingGrant(ctx) {
    const { client, session } = ctx.oidc;
    const grant = new ctx.oidc.provider.Grant({ clientId: client.clientId, accountId: session.accountId });
    grant.addOIDCScope("openid");
    await grant.save();
    return grant;
  },
  pkce: { required: () => true },
});
const handle = provider.callback();

const read = async (request) => {
  let text = "";
  for await (const chunk of request) text += chunk;
  return JSON.parse(text || "{}");
};

server.on("request", async (request, response) => {
  try {
    if (request.url === "/test/next") {
      next = await read(request);
      response.end();
    } else if (request.url === "/test/logout-token") {
      response.end(logoutToken);
    } else if (request.url === "/test/sign") {
      const { claims, header = {}, foreign } = await read(request);
      const key = foreign ? other : own;
      const sign = new jose.SignJWT(claims).setProtectedHeader({ alg: "ES256", kid, ...header });
      response.end(await sign.sign(key.privateKey));
    } else if (request.url === "/test/hold") {
      held = gate();
      go = gate();
      response.end();
    } else if (request.url === "/test/held") {
      await held.promise;
      response.end();
    } else if (request.url === "/test/go") {
      go?.resolve();
      go = undefined;
      response.end();
    } else if (go && request.url.startsWith("/token")) {
      held.resolve();
      await go.promise;
      handle(request, response);
    } else if (request.url.startsWith("/interaction/")) {
      const { login, acr, amr } = next;
      await provider.interactionFinished(request, response, { login: { accountId: login, acr, amr } });
    } else {
      handle(request, response);
    }
  } catch (error) {
    console.error(error);
    response.statusCode = 500;
    response.end(String(error));
  }
});
console.log(`listening on ${issuer}`);
