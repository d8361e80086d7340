// An OpenID Connect provider that others wrote (`oidc-provider`), for `tests/tests/login/others.rs`.
//
// `node provider.mjs FOLDER`, where FOLDER holds the package. It listens on a port of the system's choice, prints its issuer on one
// line, and ends when its input does.
import { createServer } from "node:http";
import { pathToFileURL } from "node:url";

const { default: Provider } = await import(pathToFileURL(`${process.argv[2]}/oidc-provider/lib/index.js`));
const server = createServer();
await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
const issuer = `http://127.0.0.1:${server.address().port}`;
const ours = "https://notes.example.com";
const provider = new Provider(issuer, {
  clients: [
    {
      client_id: "notes-web",
      client_secret: "a secret: with + and %",
      redirect_uris: [`${ours}/callback`],
      post_logout_redirect_uris: [`${ours}/`],
      grant_types: ["authorization_code", "refresh_token"],
      id_token_signed_response_alg: "RS256",
    },
  ],
  scopes: ["openid", "offline_access", "notes:read"],
  pkce: { required: () => true },
  issueRefreshToken: () => true,
  ttl: { AccessToken: 40, IdToken: 600, RefreshToken: 3600, Grant: 3600, Interaction: 600, Session: 600 },
});
server.on("request", provider.callback());
console.log(issuer);
process.stdin.resume();
process.stdin.on("end", () => process.exit(0));
