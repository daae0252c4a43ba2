import { createHmac, createSign, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { openJwks, type VerifyingKeys } from '../../containers/api/auth/jwks.ts';
import { type Claims, makeJwtVerifier } from '../../containers/api/auth/jwt.ts';
import { type Clock, type Config, silentLog } from '../../core/index.ts';
import { encodePart, signJwt } from './support.ts';

const secret = 'a secret for tokens, 32 characters and more';
const start = 1_800_000_000;
const good = { sub: 'u-1', tenant: 'default', role: 'customer', exp: start + 600 };

/** A clock that tests move. */
class TestClock implements Clock {
  seconds = start;
  now = () => this.seconds * 1000;
  monotonic = () => this.seconds * 1000;
}

function secretConfig(more: { issuer?: string; audience?: string } = {}): Config['jwt'] {
  return { mode: 'secret', secret, issuer: more.issuer ?? null, audience: more.audience ?? null };
}

type Verify = (token: string) => Promise<Claims | null>;

/** A verifier whose faults are null: most tests are about whether a token is taken. */
function claimsOnly(config: Config['jwt'], clock: Clock): Verify {
  const verify = makeJwtVerifier(config, clock, silentLog);
  return async (token) => {
    const result = await verify(token);
    return 'refused' in result ? null : result;
  };
}

function sealed(header: object | string, payload: object | string, key = secret): string {
  const input = `${encodePart(header)}.${encodePart(payload)}`;
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`;
}

describe('a JWT under JWT_SECRET', () => {
  const clock = new TestClock();
  const verify = claimsOnly(secretConfig(), clock);
  beforeEach(() => {
    clock.seconds = start;
  });

  test('a good one is taken, with its claims', async () => {
    expect(await verify(signJwt(good, secret))).toEqual(good);
    for (const role of ['admin', 'operator', 'redeemer']) {
      expect(await verify(signJwt({ ...good, role }, secret))).toMatchObject({ role });
    }
  });

  const algorithms = [
    'none',
    'None',
    'NONE',
    'nOnE',
    'hs256',
    'HS384',
    'HS512',
    'RS256',
    'ES256',
    'PS256',
    'EdDSA',
    '',
    null,
    0,
  ];
  test.each([...algorithms, ['HS256'], { alg: 'HS256' }])('the algorithm %j in its header is refused', async (alg) => {
    const unsigned = `${encodePart({ alg, typ: 'JWT' })}.${encodePart(good)}.`;
    expect(await verify(unsigned)).toBeNull();
    expect(await verify(unsigned.slice(0, -1))).toBeNull();
    expect(await verify(sealed({ alg, typ: 'JWT' }, good))).toBeNull();
  });

  test('one without an algorithm, without a signature, or with an empty one is refused', async () => {
    expect(await verify(sealed({ typ: 'JWT' }, good))).toBeNull();
    const [header, payload] = signJwt(good, secret).split('.');
    for (const token of [`${header}.${payload}`, `${header}.${payload}.`, `${header}.${payload}..`, `.${payload}.x`]) {
      expect(await verify(token)).toBeNull();
    }
  });

  test('another secret, a changed claim and a changed signature are refused', async () => {
    expect(await verify(signJwt(good, 'another secret of 32 characters and more'))).toBeNull();
    const [header, , signature] = signJwt(good, secret).split('.');
    expect(await verify(`${header}.${encodePart({ ...good, role: 'admin' })}.${signature}`)).toBeNull();
    const token = signJwt(good, secret);
    expect(await verify(`${token.slice(0, -2)}${token.endsWith('AA') ? 'BB' : 'AA'}`)).toBeNull();
    expect(await verify(`${token}=`)).toBeNull();
    expect(await verify(`${token}.${signature}`)).toBeNull();
  });

  test.each([
    ['critical extensions', { crit: ['exp'], exp: 1 }],
    ['an empty crit', { crit: [] }],
    ['a crit that is null', { crit: null }],
    ['an extension of its own', { crit: ['b64'], b64: false }],
  ])('a header with %s is refused', async (_what, more) => {
    expect(await verify(sealed({ alg: 'HS256', ...more }, good))).toBeNull();
  });

  test('kid, jku, x5u and jwk in its header change nothing', async () => {
    const tricks = {
      kid: '../../../dev/null',
      jku: 'http://127.0.0.1:9/',
      x5u: 'http://127.0.0.1:9/',
      jwk: { kty: 'oct', k: '' },
    };
    expect(await verify(sealed({ alg: 'HS256', ...tricks }, good))).toEqual(good);
    expect(await verify(sealed({ alg: 'HS256', ...tricks }, good, ''))).toBeNull();
    expect(await verify(sealed({ alg: 'HS256', kid: "x' union select 'k" }, good, 'k'))).toBeNull();
  });

  test('a name that comes twice is refused, in the payload and in the header, however it is written', async () => {
    const payload = JSON.stringify(good);
    const twice = [
      payload.replace('{', '{"role":"admin",'),
      payload.replace('}', ',"role":"admin"}'),
      payload.replace('{', '{"r\\u006fle":"admin",'),
      payload.replace('{', '{"x":{"a":1,"a":2},'),
    ];
    for (const text of twice) expect(await verify(sealed({ alg: 'HS256' }, text))).toBeNull();
    expect(await verify(sealed('{"alg":"none","alg":"HS256"}', good))).toBeNull();
    expect(await verify(sealed({ alg: 'HS256' }, payload.replace('{', '{"x":{"sub":"other"},')))).toMatchObject({
      sub: 'u-1',
    });
  });

  test('exp in the past, or just now, is refused: an expired token has no leeway', async () => {
    for (const exp of [start - 3600, start - 1, start])
      expect(await verify(signJwt({ ...good, exp }, secret))).toBeNull();
    const token = signJwt({ ...good, exp: start + 1 }, secret);
    expect(await verify(token)).not.toBeNull();
    clock.seconds = start + 1;
    expect(await verify(token)).toBeNull();
  });

  test.each(['nbf', 'iat'])('%s ahead of us is refused, but for 5 seconds between two clocks', async (claim) => {
    expect(await verify(signJwt({ ...good, [claim]: start + 6 }, secret))).toBeNull();
    expect(await verify(signJwt({ ...good, [claim]: start + 3600 }, secret))).toBeNull();
    expect(await verify(signJwt({ ...good, [claim]: start + 5 }, secret))).not.toBeNull();
    expect(await verify(signJwt({ ...good, [claim]: start - 3600 }, secret))).not.toBeNull();
  });

  const wrong: [string, unknown[]][] = [
    ['sub', [undefined, null, '', 7, ['u-1'], 'x'.repeat(129), 'a\u0000b', { toString: 'u-1' }]],
    ['tenant', [undefined, null, '', 1, ['default']]],
    ['role', [undefined, null, '', 'root', 'Admin', 'admin ', ['admin'], { admin: true }, 'superuser']],
    ['exp', [undefined, null, '', `${start + 600}`, [start + 600], -1, true]],
    ['nbf', [null, `${start}`, [start], -1]],
    ['iat', [null, `${start}`, {}]],
  ];
  test.each(wrong)('a %s that is missing or wrong is refused', async (claim, values) => {
    for (const value of values)
      expect([value, await verify(signJwt({ ...good, [claim]: value }, secret))]).toEqual([value, null]);
  });

  test('an exp beyond every number is refused', async () => {
    const payload = JSON.stringify(good).replace(`${good.exp}`, '1e999');
    expect(await verify(sealed({ alg: 'HS256' }, payload))).toBeNull();
  });

  test('parts that are no JSON objects, no base64url or no UTF-8 are refused', async () => {
    for (const payload of ['[]', 'null', '"x"', '7', '{', ''])
      expect(await verify(sealed({ alg: 'HS256' }, payload))).toBeNull();
    const [, payload, signature] = signJwt(good, secret).split('.');
    for (const header of ['', '***', encodePart('[]'), Buffer.from([0xff, 0xfe]).toString('base64url')]) {
      expect(await verify(`${header}.${payload}.${signature}`)).toBeNull();
    }
  });

  test('a token beyond the limit is refused unread', async () => {
    expect(await verify(signJwt({ ...good, more: 'x'.repeat(8000) }, secret))).toBeNull();
    expect(await verify('a.'.repeat(500_000))).toBeNull();
  });

  test('iss and aud are looked at where they are configured', async () => {
    const strict = claimsOnly(secretConfig({ issuer: 'https://id.example', audience: 'qurable' }), clock);
    const right = { ...good, iss: 'https://id.example', aud: 'qurable' };
    expect(await strict(signJwt(right, secret))).not.toBeNull();
    expect(await strict(signJwt({ ...right, aud: ['other', 'qurable'] }, secret))).not.toBeNull();
    const refused = [
      { iss: undefined },
      { iss: 'https://id.example/' },
      { iss: ['https://id.example'] },
      { aud: undefined },
      { aud: 'Qurable' },
      { aud: [] },
      { aud: ['other'] },
      { aud: { qurable: true } },
      { aud: ['qurable', 7] },
    ];
    for (const change of refused)
      expect([change, await strict(signJwt({ ...right, ...change }, secret))]).toEqual([change, null]);
  });

  test('where neither a secret nor keys are configured, every JWT is refused', async () => {
    const none = claimsOnly({ mode: 'none' }, clock);
    expect(await none(signJwt(good, secret))).toBeNull();
    expect(await none(signJwt(good, ''))).toBeNull();
  });
});

describe('a JWT under JWT_JWKS_URL', () => {
  const clock = new TestClock();
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
  const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ed = generateKeyPairSync('ed25519');
  const weak = generateKeyPairSync('rsa', { modulusLength: 1024 });
  const stranger = generateKeyPairSync('rsa', { modulusLength: 2048 });
  let server: Server;
  let url: string;
  let fetches = 0;
  let answer: () => { status: number; body: string };
  let verify: Verify;

  const jwk = (key: KeyObject, kid: string, more: object = {}) => ({ ...key.export({ format: 'jwk' }), kid, ...more });
  const serveKeys = (...keys: object[]) => {
    answer = () => ({ status: 200, body: JSON.stringify({ keys }) });
  };

  beforeAll(async () => {
    server = createServer((_request, response) => {
      fetches += 1;
      const { status, body } = answer();
      response.writeHead(status, status === 302 ? { location: '/elsewhere' } : {}).end(body);
    });
    // Node would close an idle connection after five seconds, just when a client that was stalled sends on it.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    clock.seconds = start;
    fetches = 0;
    serveKeys(jwk(rsa.publicKey, 'rsa'), jwk(ec.publicKey, 'ec'), jwk(ed.publicKey, 'ed'));
    verify = claimsOnly({ mode: 'jwks', url, issuer: null, audience: null }, clock);
  });

  const seal = (alg: string, kid: string | undefined, key: KeyObject, more: object = {}) => {
    const input = `${encodePart({ alg, kid, ...more })}.${encodePart(good)}`;
    return `${input}.${signatureOf(alg, input, key)}`;
  };

  test('RS256, ES256 and EdDSA are taken, each with the key that its kid names', async () => {
    expect(await verify(seal('RS256', 'rsa', rsa.privateKey))).toEqual(good);
    expect(await verify(seal('ES256', 'ec', ec.privateKey))).toEqual(good);
    expect(await verify(seal('EdDSA', 'ed', ed.privateKey))).toEqual(good);
    expect(fetches).toBe(1);
  });

  test('HS256 with the public key as the secret is refused, in whatever form the key is used', async () => {
    const { publicKey } = rsa;
    const forms = [
      publicKey.export({ format: 'pem', type: 'spki' }),
      publicKey.export({ format: 'der', type: 'spki' }),
      publicKey.export({ format: 'pem', type: 'pkcs1' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
      publicKey.export({ format: 'jwk' }).n!,
    ];
    const input = `${encodePart({ alg: 'HS256', kid: 'rsa' })}.${encodePart(good)}`;
    for (const form of forms) {
      expect(await verify(`${input}.${createHmac('sha256', form).update(input).digest('base64url')}`)).toBeNull();
    }
  });

  test.each(['none', 'None', 'RS384', 'PS256', 'ES256', 'HS256'])(
    '%s in a token of an RSA key is refused',
    async (alg) => {
      expect(await verify(seal(alg, 'rsa', rsa.privateKey))).toBeNull();
      expect(await verify(`${encodePart({ alg, kid: 'rsa' })}.${encodePart(good)}.`)).toBeNull();
    },
  );

  test('a key sent along or pointed to by jwk, jku, x5u or x5c is not used', async () => {
    const own = jwk(stranger.publicKey, 'stranger');
    const tricks = [{ jwk: own }, { jku: `${url}?stranger` }, { x5u: `${url}?stranger` }, { x5c: ['MIIB'] }];
    for (const trick of tricks) {
      for (const kid of ['rsa', 'stranger', undefined]) {
        expect(await verify(seal('RS256', kid, stranger.privateKey, trick))).toBeNull();
      }
    }
  });

  test.each(['../rsa', 'RSA', '', '__proto__', 'rsa\u0000', "rsa' or '1'='1"])(
    'the kid %j names no key',
    async (kid) => {
      expect(await verify(seal('RS256', kid, rsa.privateKey))).toBeNull();
    },
  );

  test('a kid that is no text names no key', async () => {
    for (const kid of [null, 0, ['rsa'], { rsa: 1 }])
      expect(await verify(seal('RS256', undefined, rsa.privateKey, { kid }))).toBeNull();
  });

  test('a token without a kid is taken only where there is one key', async () => {
    expect(await verify(seal('RS256', undefined, rsa.privateKey))).toBeNull();
    serveKeys(jwk(rsa.publicKey, 'rsa'));
    const single = claimsOnly({ mode: 'jwks', url, issuer: null, audience: null }, clock);
    expect(await single(seal('RS256', undefined, rsa.privateKey))).toEqual(good);
  });

  test('symmetric, weak and encryption keys, and keys for another algorithm, are left out', async () => {
    serveKeys(
      { kty: 'oct', k: Buffer.from(secret).toString('base64url'), kid: 'oct', alg: 'HS256' },
      jwk(weak.publicKey, 'weak'),
      jwk(rsa.publicKey, 'enc', { use: 'enc' }),
      jwk(rsa.publicKey, 'pss', { alg: 'PS256' }),
      { kty: 'RSA', kid: 'broken', n: '', e: '' },
    );
    const input = `${encodePart({ alg: 'HS256', kid: 'oct' })}.${encodePart(good)}`;
    expect(await verify(`${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`)).toBeNull();
    expect(await verify(seal('RS256', 'weak', weak.privateKey))).toBeNull();
    expect(await verify(seal('RS256', 'enc', rsa.privateKey))).toBeNull();
    expect(await verify(seal('PS256', 'pss', rsa.privateKey))).toBeNull();
    expect(await verify(seal('RS256', 'broken', rsa.privateKey))).toBeNull();
  });

  test('a rotated key is found through its new kid, and made-up kids do not make us ask again and again', async () => {
    expect(await verify(seal('RS256', 'rsa', rsa.privateKey))).toEqual(good);
    serveKeys(jwk(stranger.publicKey, 'new'));
    for (let round = 0; round < 50; round += 1)
      expect(await verify(seal('RS256', `made-up-${round}`, rsa.privateKey))).toBeNull();
    expect(fetches).toBe(1);
    clock.seconds += 11;
    expect(await verify(seal('RS256', 'new', stranger.privateKey))).toEqual(good);
    expect(fetches).toBe(2);
    expect(await verify(seal('RS256', 'rsa', rsa.privateKey))).toBeNull();
  });

  test('the keys stay good while the issuer is down', async () => {
    expect(await verify(seal('RS256', 'rsa', rsa.privateKey))).toEqual(good);
    answer = () => ({ status: 500, body: 'down' });
    clock.seconds += 590;
    expect(await verify(seal('RS256', 'rsa', rsa.privateKey))).toEqual(good);
  });

  test.each([
    ['fails', () => ({ status: 500, body: '' })],
    ['leads elsewhere', () => ({ status: 302, body: '' })],
    ['is no JWKS', () => ({ status: 200, body: '{"keys":7}' })],
  ])('where the first fetch %s, the answer is unavailable and not unauthenticated', async (_what, first) => {
    answer = first;
    await expect(verify(seal('RS256', 'rsa', rsa.privateKey))).rejects.toMatchObject({ kind: 'unavailable' });
    serveKeys(jwk(rsa.publicKey, 'rsa'));
    clock.seconds += 2;
    expect(await verify(seal('RS256', 'rsa', rsa.privateKey))).toEqual(good);
  });
});

describe('what the log is told of the issuer', () => {
  const clock = new TestClock();
  const { publicKey } = generateKeyPairSync('ed25519');
  const key = (kid: string) => ({ ...publicKey.export({ format: 'jwk' }), kid });
  let server: Server;
  let url: string;
  let answer: (response: ServerResponse) => void;
  let lines: [string, object, string][];
  let keys: VerifyingKeys;
  beforeAll(async () => {
    server = createServer((_request, response) => answer(response));
    // Node would close an idle connection after five seconds, just when a client that was stalled sends on it.
    server.keepAliveTimeout = 0;
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/keys?secret=1`;
  });
  afterAll(() => {
    server.closeAllConnections();
    server.close();
  });
  beforeEach(() => {
    clock.seconds = start;
    lines = [];
    const write = (level: string) => (fields: object, message: string) => void lines.push([level, fields, message]);
    keys = openJwks(url, clock, { info: write('info'), warn: write('warn'), error: write('error') });
  });

  /** Asks for a key after the time in which none is fetched again. */
  async function ask(kid = 'a'): Promise<boolean> {
    clock.seconds += 601;
    const found = await keys.findKey(kid).catch(() => null);
    // Keys that are there are fetched anew behind the answer; whoever asks for one that is not waits for that.
    await keys.findKey('of nobody').catch(() => null);
    return found !== null;
  }

  const failed = 'the keys that tokens are signed with can’t be fetched';

  test('a failure with host and cause once, another cause, and the recovery; never the address or the answer', async () => {
    const { host } = new URL(url);
    answer = (response) => response.writeHead(503).end('secret');
    for (let count = 0; count < 3; count += 1) expect(await ask()).toBe(false);
    answer = (response) => response.end('{"secret');
    expect(await ask()).toBe(false);
    answer = (response) => response.end(JSON.stringify({ keys: [key('a')] }));
    expect(await ask()).toBe(true);
    expect(lines).toEqual([
      ['warn', { host, cause: 'the answer’s status is 503' }, failed],
      ['warn', { host, cause: 'the answer is no JSON' }, failed],
      ['info', { host }, 'the keys that tokens are signed with are there again'],
    ]);
  });

  test('an issuer that can’t be reached, by the cause that the network tells', async () => {
    const write = (fields: object) => void lines.push(['warn', fields, '']);
    const away = openJwks('http://127.0.0.1:9/keys', clock, { ...silentLog, warn: write });
    await expect(away.findKey('a')).rejects.toMatchObject({ kind: 'unavailable' });
    // Node calls a port that nobody may fetch from a bad one before it connects.
    expect(lines).toMatchObject([
      ['warn', { host: '127.0.0.1:9', cause: expect.stringMatching(/bad port|ECONNREFUSED/) }, ''],
    ]);
  });

  test('two keys with one kid, once', async () => {
    answer = (response) => response.end(JSON.stringify({ keys: [key('a'), key('a'), key('b')] }));
    for (let count = 0; count < 3; count += 1) expect(await ask()).toBe(true);
    expect(lines).toEqual([
      [
        'warn',
        expect.objectContaining({ kids: 'a' }),
        'keys share a kid, and tokens are checked with the first of them',
      ],
    ]);
  });

  test('an endless answer is left after a megabyte', async () => {
    const piece = Buffer.alloc(65_536, ' ');
    let sent = 0;
    const closed = new Promise<void>((resolve) => {
      answer = (response) => {
        const send = () => {
          sent += piece.length;
          if (!response.closed) response.write(piece, send);
        };
        response.once('close', resolve);
        send();
      };
    });
    expect(await ask()).toBe(false);
    await closed;
    expect(lines).toMatchObject([['warn', { cause: 'the answer is longer than 1000000 bytes' }, failed]]);
    // What the two ends of the connection hold comes on top, which is up to the machine's settings.
    expect(sent).toBeLessThan(100_000_000);
  });
});

function signatureOf(alg: string, input: string, key: KeyObject): string {
  if (alg === 'EdDSA') return sign(null, Buffer.from(input), key).toString('base64url');
  const signer = createSign('sha256').update(input);
  return signer.sign({ key, dsaEncoding: 'ieee-p1363' }).toString('base64url');
}
