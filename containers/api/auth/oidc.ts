import * as client from 'openid-client';
import { type Log, limits, type OidcConfig, refuse, type SignedInPerson, unavailable } from '../../../core/index.ts';

/** What a browser keeps between its way to the issuer and back: it ties the answer to the browser that asked. */
export interface SignInFlow {
  state: string;
  nonce: string;
  verifier: string;
}

/** Whom the issuer says it is. */
export type PersonOfIssuer = Omit<SignedInPerson, 'issuer'>;

/** Signs people in by the company's OpenID Connect. */
export interface Oidc {
  /**
   * Where the browser is to go, and what it is to keep until it is back.
   * @throws CouponError `unavailable` where the issuer can't be reached
   */
  begin(redirectUri: string): Promise<{ address: URL; flow: SignInFlow }>;
  /**
   * Who came back, by the address that the issuer sent the browser to.
   * @throws CouponError `unauthenticated` where that is no answer to this flow, or does not hold; `forbidden` where the
   *   issuer or the person said no; `unavailable` where the issuer can't be reached
   */
  finish(returned: URL, flow: SignInFlow): Promise<PersonOfIssuer>;
}

const answerMaxSeconds = 10;
/** A new key or address of the issuer's is picked up within this time. */
const discoveryMaxAgeMillis = 3_600_000;

/**
 * Opens the sign-in: the authorization code flow with PKCE, state and nonce. The issuer is asked for its addresses when
 * somebody signs in, not before: one that is away is no reason not to start.
 * @param log is told why a sign-in failed, by the protocol's own words: nothing of a token or a person
 */
export function openOidc(config: OidcConfig, clock: { monotonic(): number }, log: Log): Oidc {
  let known: { issuer: client.Configuration; until: number } | null = null;
  const findIssuer = async (): Promise<client.Configuration> => {
    if (known !== null && clock.monotonic() < known.until) return known.issuer;
    const issuer = await discover(config);
    known = { issuer, until: clock.monotonic() + discoveryMaxAgeMillis };
    return issuer;
  };
  const orRefuse = async <T>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      const code = codeOf(error);
      log.warn({ cause: code }, 'a sign-in by OpenID Connect failed');
      throw refusalOf(error, code);
    }
  };

  return {
    begin: (redirectUri) =>
      orRefuse(async () => {
        const issuer = await findIssuer();
        const flow = {
          state: client.randomState(),
          nonce: client.randomNonce(),
          verifier: client.randomPKCECodeVerifier(),
        };
        const address = client.buildAuthorizationUrl(issuer, {
          redirect_uri: redirectUri,
          scope: config.scope,
          state: flow.state,
          nonce: flow.nonce,
          code_challenge: await client.calculatePKCECodeChallenge(flow.verifier),
          code_challenge_method: 'S256',
        });
        return { address, flow };
      }),
    finish: (returned, { state, nonce, verifier }) =>
      orRefuse(async () => {
        const issuer = await findIssuer();
        const tokens = await client.authorizationCodeGrant(issuer, returned, {
          expectedState: state,
          expectedNonce: nonce,
          pkceCodeVerifier: verifier,
        });
        return readPerson(config, issuer, tokens);
      }),
  };
}

async function discover(config: OidcConfig): Promise<client.Configuration> {
  const isPlain = config.issuer.startsWith('http:');
  return client.discovery(
    new URL(config.issuer),
    config.clientId,
    undefined,
    client.ClientSecretPost(config.clientSecret),
    {
      timeout: answerMaxSeconds,
      execute: [
        // Not only the connection to the issuer says that a token is its own: the signature does, too.
        client.enableNonRepudiationChecks,
        // The configuration allows it for an issuer on this machine alone.
        ...(isPlain ? [client.allowInsecureRequests] : []),
      ],
    },
  );
}

type Tokens = Awaited<ReturnType<typeof client.authorizationCodeGrant>>;

async function readPerson(config: OidcConfig, issuer: client.Configuration, tokens: Tokens): Promise<PersonOfIssuer> {
  const claims = tokens.claims();
  if (claims === undefined) throw new Error('the issuer sent no ID token');
  let said: Record<string, unknown> = claims;
  // Some issuers keep groups out of tokens and tell them where one asks about the person.
  if (said[config.groupsClaim] === undefined && issuer.serverMetadata().userinfo_endpoint !== undefined) {
    said = { ...(await client.fetchUserInfo(issuer, tokens.access_token, claims.sub)), ...claims };
  }
  return { subject: claims.sub, name: nameOf(said, claims.sub), groups: textsOf(said[config.groupsClaim]) };
}

/** What colleagues know the person by, for the events. */
function nameOf(said: Record<string, unknown>, subject: string): string {
  const given = [said.preferred_username, said.email, said.name].find(
    (text) => typeof text === 'string' && text !== '',
  );
  // Without what could break a line or turn its direction.
  const plain = String(given ?? subject)
    .replaceAll(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu, '')
    .trim();
  return (plain === '' ? subject : plain).slice(0, limits.personNameMaxChars).toWellFormed();
}

function textsOf(value: unknown): string[] {
  return [value].flat().filter((item): item is string => typeof item === 'string');
}

/** The protocol's own word for what went wrong, or the error's class: none of them holds anything of the request. */
function codeOf(error: unknown): string {
  if (error instanceof client.AuthorizationResponseError) return 'the issuer refused';
  if (error instanceof client.ResponseBodyError) return `token: ${wordOf(error.error)}`;
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: unknown };
  if (typeof code === 'string') return code;
  // A broken connection is a TypeError of fetch, whose cause is the socket's.
  if (name === 'TypeError') return name;
  // What else the library has no word for is only the cause of its error.
  return String((cause as { name?: unknown } | null | undefined)?.name ?? name);
}

/** What RFC 6749 (section 5.2) has; an issuer's other words are its own text. */
function wordOf(word: string): string {
  return /^(invalid_(request|client|grant|scope)|unauthorized_client|unsupported_grant_type)$/.test(word)
    ? word
    : 'other';
}

/** No connection, no answer in time, and an answer of 5xx where a document was to be. */
const awayCodes = new Set(['OAUTH_TIMEOUT', 'OAUTH_ABORT', 'OAUTH_RESPONSE_IS_NOT_CONFORM', 'TypeError']);

function refusalOf(error: unknown, code: string) {
  if (error instanceof client.AuthorizationResponseError) {
    return refuse('forbidden', 'The sign-in was not granted.', { refused: 'oidc: not granted' });
  }
  if (awayCodes.has(code)) return unavailable('not-begun', 'The company’s sign-in can’t be reached now.', 5);
  return refuse('unauthenticated', 'The sign-in did not succeed. Begin again.', { refused: 'oidc: not valid' });
}
