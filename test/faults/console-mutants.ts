import type { Mutant } from './mutant-list.ts';

const session = 'test/http/console-session.test.ts';
const attacks = 'test/http/console-attacks.test.ts';
const oidc = 'test/http/console-oidc.test.ts';
const sessionView = 'core/access/session-view.ts';

/** What keeps strangers out of the console. */
export const consoleMutants: Mutant[] = [
  {
    takesOut: 'the check of where a request by cookie comes from',
    file: 'containers/api/auth/identify.ts',
    edits: [{ find: '    requireSameOrigin(request);\n', replace: '    void requireSameOrigin;\n' }],
    testFile: attacks,
    caughtBy: '403, and nothing is changed: from another site',
  },
  {
    takesOut: 'the judgement by Origin where a browser says no more',
    file: 'containers/api/auth/same-origin.ts',
    edits: [
      {
        find: 'request.headers.origin === ',
        replace: 'request.headers.origin !== ',
      },
    ],
    testFile: attacks,
    caughtBy: 'from an old browser, by Origin',
  },
  {
    takesOut: 'the precedence of a token over a cookie',
    file: 'containers/api/auth/identify.ts',
    edits: [{ find: 'authorization === undefined ? readCookie', replace: 'true ? readCookie' }],
    testFile: attacks,
    caughtBy: 'the token alone counts',
  },
  {
    takesOut: 'the end of a session with its key',
    file: sessionView,
    edits: [{ find: 'and k.revoked_at is null and', replace: 'and' }],
    testFile: session,
    caughtBy: 'ends everywhere when its key is revoked in another process',
  },
  {
    takesOut: 'the end of a session with its bootstrap key',
    file: sessionView,
    edits: [{ find: 'else s.root_check = $1 end', replace: 'else $1::bytea is not null end' }],
    testFile: session,
    caughtBy: 'ends when the bootstrap key is another one',
  },
  {
    takesOut: 'the end of an idle session',
    file: sessionView,
    edits: [{ find: 's.used_at > clock_timestamp()', replace: "s.used_at > clock_timestamp() - interval '1 day'" }],
    testFile: session,
    caughtBy: 'ends when it was idle for 30 minutes',
  },
  {
    takesOut: 'the end of an old session',
    file: sessionView,
    edits: [{ find: 's.ends_at > clock_timestamp()', replace: 'true' }],
    testFile: session,
    caughtBy: 'ends 12 hours after it began',
  },
  {
    takesOut: 'the end of the session before a sign-in',
    file: 'core/access/sign-in-with-key.ts',
    edits: [{ find: 'if (formerSecret !== null) await', replace: 'if (formerSecret === null) await' }],
    testFile: session,
    caughtBy: 'cannot be chosen',
  },
  {
    takesOut: 'the using up of a link',
    file: 'core/access/sign-in-links.ts',
    edits: [{ find: 'delete from console_links where', replace: 'select from console_links where' }],
    testFile: session,
    caughtBy: 'of ten browsers that open a link at once, one is signed in',
  },
  {
    takesOut: 'the bound of an address’s tries to sign in',
    file: 'containers/api/auth/take-sign-in.ts',
    edits: [{ find: 'if (waitMillis === 0) return;', replace: 'if (waitMillis >= 0) return;' }],
    testFile: session,
    caughtBy: 'from one address five people a second sign in',
  },
  {
    takesOut: 'the nonce of a sign-in by OpenID Connect',
    file: 'containers/api/auth/oidc.ts',
    edits: [
      { find: '          expectedNonce: nonce,\n', replace: '' },
      { find: '          nonce: flow.nonce,\n', replace: '' },
      { find: '{ state, nonce, verifier }', replace: '{ state, verifier }' },
    ],
    testFile: oidc,
    caughtBy: 'an ID token with no nonce',
  },
  {
    takesOut: 'the state of a sign-in by OpenID Connect',
    file: 'containers/api/auth/oidc.ts',
    edits: [{ find: 'expectedState: state,', replace: 'expectedState: returned.searchParams.get("state") ?? state,' }],
    testFile: oidc,
    caughtBy: '401: another state',
  },
  {
    takesOut: 'the check of an ID token’s signature',
    file: 'containers/api/auth/oidc.ts',
    edits: [{ find: '        client.enableNonRepudiationChecks,\n', replace: '' }],
    testFile: oidc,
    caughtBy: 'an ID token that another key signed',
  },
  {
    takesOut: 'the need of a group with a role',
    file: 'core/access/sign-in-as-person.ts',
    edits: [{ find: 'person.groups.includes(group)', replace: 'group !== person.name' }],
    testFile: oidc,
    caughtBy: '403: of somebody in none of the groups',
  },
];
