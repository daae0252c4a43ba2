import { createHash, randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';

/** What the provider is to do otherwise than an honest one would. */
export interface Misdeeds {
  /** Ends each connection without an answer. */
  hangsUp?: boolean;
  /** Changes the claims of ID tokens. */
  claims?(claims: JWTPayload): JWTPayload;
  /** Signs with a key that it does not publish. */
  foreignKey?: boolean;
  /** Names another issuer in its own description. */
  otherIssuer?: string;
  /** Answers every request with this status and no document. */
  status?: number;
}

/** An OpenID Connect provider of the tests: real keys, discovery, PKCE, codes that are good once. */
export interface OidcProvider {
  readonly issuer: string;
  readonly clientId: string;
  readonly clientSecret: string;
  /** Who sits before the browser. Its claims go into ID tokens. */
  person: JWTPayload;
  /** Claims that only the answer about the person has. */
  userInfo: Record<string, unknown>;
  /** Says no to the person. */
  denies: boolean;
  misdeeds: Misdeeds;
  /** How often codes were exchanged for tokens. */
  readonly exchanges: number;
  /** Sends the browser to the provider, and gives the address to which it is led back. */
  visit(address: string): Promise<URL>;
  close(): Promise<void>;
}

interface Grant {
  nonce: string;
  challenge: string;
  redirectUri: string;
}

/** Starts a provider on a free port of this machine. */
export async function startOidcProvider(): Promise<OidcProvider> {
  const { privateKey, publicKey } = await generateKeyPair('ES256');
  const foreign = await generateKeyPair('ES256');
  const jwk = { ...(await exportJWK(publicKey)), kid: 'k1', alg: 'ES256', use: 'sig' };
  const grants = new Map<string, Grant>();
  let exchanges = 0;

  const routes: Record<string, (request: IncomingMessage, url: URL, answer: ServerResponse) => Promise<void>> = {
    '/.well-known/openid-configuration': async (_request, _url, answer) => {
      const { issuer } = provider;
      sendJson(answer, 200, {
        issuer: provider.misdeeds.otherIssuer ?? issuer,
        authorization_endpoint: `${issuer}/authorize`,
        token_endpoint: `${issuer}/token`,
        jwks_uri: `${issuer}/keys`,
        userinfo_endpoint: `${issuer}/userinfo`,
        response_types_supported: ['code'],
        id_token_signing_alg_values_supported: ['ES256'],
        authorization_response_iss_parameter_supported: true,
      });
    },
    '/keys': async (_request, _url, answer) => sendJson(answer, 200, { keys: [jwk] }),
    '/authorize': async (_request, { searchParams: asked }, answer) => {
      const back = new URL(asked.get('redirect_uri')!);
      back.searchParams.set('state', asked.get('state')!);
      back.searchParams.set('iss', provider.issuer);
      if (provider.denies) back.searchParams.set('error', 'access_denied');
      else {
        const code = randomBytes(16).toString('hex');
        grants.set(code, {
          nonce: asked.get('nonce')!,
          challenge: asked.get('code_challenge')!,
          redirectUri: asked.get('redirect_uri')!,
        });
        back.searchParams.set('code', code);
      }
      answer.writeHead(302, { location: back.href }).end();
    },
    '/token': async (request, _url, answer) => {
      const form = new URLSearchParams(await readText(request));
      const code = form.get('code') ?? '';
      const grant = grants.get(code);
      // Good once, whatever comes of it.
      grants.delete(code);
      const challenge = createHash('sha256')
        .update(form.get('code_verifier') ?? '')
        .digest('base64url');
      if (form.get('client_id') !== provider.clientId || form.get('client_secret') !== provider.clientSecret) {
        sendJson(answer, 401, { error: 'invalid_client' });
      } else if (grant?.challenge !== challenge || grant.redirectUri !== form.get('redirect_uri')) {
        sendJson(answer, 400, { error: 'invalid_grant' });
      } else {
        exchanges += 1;
        sendJson(answer, 200, { access_token: 'at', token_type: 'Bearer', id_token: await idToken(grant.nonce) });
      }
    },
    '/userinfo': async (_request, _url, answer) =>
      sendJson(answer, 200, { sub: provider.person.sub, ...provider.userInfo }),
  };

  async function idToken(nonce: string): Promise<string> {
    const now = Math.floor(Date.now() / 1000);
    const honest = {
      iss: provider.issuer,
      aud: provider.clientId,
      iat: now,
      exp: now + 300,
      nonce,
      ...provider.person,
    };
    return new SignJWT(provider.misdeeds.claims?.(honest) ?? honest)
      .setProtectedHeader({ alg: 'ES256', kid: 'k1' })
      .sign(provider.misdeeds.foreignKey === true ? foreign.privateKey : privateKey);
  }

  const server = createServer((request, answer) => {
    const url = new URL(request.url!, provider.issuer);
    const route = routes[url.pathname];
    if (provider.misdeeds.hangsUp === true) request.socket.destroy();
    else if (provider.misdeeds.status !== undefined) answer.writeHead(provider.misdeeds.status).end();
    else if (route === undefined) answer.writeHead(404).end();
    else void route(request, url, answer);
  });
  // Node would close an idle connection after five seconds, just when a client that was stalled sends on it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const provider: OidcProvider = {
    issuer: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    clientId: 'qurable-console',
    clientSecret: 'the secret of the tests’ client',
    person: {},
    userInfo: {},
    denies: false,
    misdeeds: {},
    get exchanges() {
      return exchanges;
    },
    async visit(address) {
      const answer = await fetch(address, { redirect: 'manual' });
      return new URL(answer.headers.get('location')!);
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return provider;
}

function sendJson(answer: ServerResponse, status: number, value: object): void {
  answer.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(value));
}

async function readText(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request) text += String(chunk);
  return text;
}
