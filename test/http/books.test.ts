import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { contractTerms } from '../support/contract-book.ts';
import { type Answer, type Body, rootKey, startTestApi, type TestApi, tokenOf } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('books');
});
afterAll(() => api.close());

type Content = Record<string, { schema: { properties: Record<string, { default?: unknown }> } }>;

const create = (body: unknown, options: object = {}) => api.call('POST', '/v1/books', { body, ...options });
const change = (id: string, body: unknown, headers: Record<string, string> = {}) =>
  api.call('PATCH', `/v1/books/${id}`, { body, headers });
const pathsOf = (answer: Answer) => answer.body.errors.map(({ path }) => path);

describe('POST /v1/books', () => {
  test('201: a book that gives its name alone has the contract’s defaults', async () => {
    const { status, body, headers } = await create({ name: 'Verano 2026' });
    expect([status, headers.etag]).toEqual([201, '"1"']);
    expect(body).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
      name: 'Verano 2026',
      ...contractTerms,
      counts: { codes: 0, available: 0, assigned: 0, redemptions: 0, voided: 0 },
      rev: 1,
      createdAt: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      updatedAt: body.createdAt,
    });
  });

  test('201: every field is kept, and local times are read in the book’s time zone', async () => {
    const fields = {
      name: 'Black Friday',
      description: 'Everything',
      status: 'active',
      timeZone: 'America/Argentina/Buenos_Aires',
      maxCodesPerUser: 3,
      maxRedemptionsPerCode: null,
      maxRedemptionsPerUser: 5,
      maxRedemptions: 1_000_000,
      lockTtlSeconds: 60,
      requireLock: true,
      selfService: true,
      metadata: { channel: 'web', nested: { list: [1, null, 'x'] } },
    };
    const { status, body } = await create({
      ...fields,
      startsAt: '2026-11-27T00:00:00',
      endsAt: '2026-11-28T00:00:00+00:00',
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({ ...fields, startsAt: '2026-11-27T03:00:00.000Z', endsAt: '2026-11-28T00:00:00.000Z' });
  });

  const wrong: [string, object, string[]][] = [
    ['no name', {}, ['/name']],
    ['an empty name', { name: '' }, ['/name']],
    ['a name that is too long', { name: 'x'.repeat(201) }, ['/name']],
    ['a name that is no text', { name: 7 }, ['/name']],
    ['an unknown field', { name: 'x', maxCodePerUser: 3 }, ['/maxCodePerUser']],
    [
      'several mistakes at once',
      { name: null, requireLock: 'false', status: 'open' },
      ['/name', '/status', '/requireLock'],
    ],
    ['a status that a new book can’t have', { name: 'x', status: 'closed' }, ['/status']],
    ['a limit of 0', { name: 'x', maxCodesPerUser: 0 }, ['/maxCodesPerUser']],
    ['a limit that is no whole number', { name: 'x', maxRedemptions: 1.5 }, ['/maxRedemptions']],
    ['a limit as text', { name: 'x', maxRedemptionsPerCode: '1' }, ['/maxRedemptionsPerCode']],
    ['a lock that is too long', { name: 'x', lockTtlSeconds: 86_401 }, ['/lockTtlSeconds']],
    ['a time zone that does not exist', { name: 'x', timeZone: 'Mars/Olympus' }, ['/timeZone']],
    ['a time that does not exist', { name: 'x', startsAt: '2026-02-30T00:00:00Z' }, ['/startsAt']],
    [
      'a window that ends before it starts',
      { name: 'x', startsAt: '2026-02-02T00:00:00Z', endsAt: '2026-02-01T00:00:00Z' },
      ['/endsAt'],
    ],
    ['an empty window', { name: 'x', startsAt: '2026-02-01T00:00:00Z', endsAt: '2026-02-01T00:00:00Z' }, ['/endsAt']],
    [
      'a local time that the zone skips',
      { name: 'x', timeZone: 'Europe/Berlin', startsAt: '2026-03-29T02:30:00' },
      ['/startsAt'],
    ],
    [
      'a local time that the zone has twice',
      { name: 'x', timeZone: 'Europe/Berlin', startsAt: '2026-10-25T02:30:00' },
      ['/startsAt'],
    ],
    ['metadata that is a list', { name: 'x', metadata: [] }, ['/metadata']],
    ['metadata that is too large', { name: 'x', metadata: { a: 'x'.repeat(5000) } }, ['/metadata']],
  ];
  test.each(wrong)('400: %s is invalid-input that names the field', async (_what, body, paths) => {
    const answer = await create(body);
    expect([answer.status, answer.body.kind, pathsOf(answer).toSorted()]).toEqual([
      400,
      'invalid-input',
      paths.toSorted(),
    ]);
  });

  test.each([
    '',
    '[]',
    'null',
    '"x"',
    '{"name":"x"',
    '{"name":"\\u0000"}',
    '{"name":"\\ud800"}',
    '{"name":"x","__proto__":{}}',
  ])('400: the body %j is invalid-input', async (body) => {
    const answer = await create(body, { headers: { 'content-type': 'application/json' } });
    expect([answer.status, answer.body.kind]).toEqual([400, 'invalid-input']);
  });

  test('400: a body that is not UTF-8 is invalid-input', async () => {
    const body = Buffer.concat([Buffer.from('{"name":"'), Buffer.from([0xff, 0xfe]), Buffer.from('"}')]);
    expect((await create(body)).body.kind).toBe('invalid-input');
  });

  test('201: the same key and body make one book, and the replay says so', async () => {
    const first = await create({ name: 'Once' }, { key: 'book-1' });
    const again = await create({ name: 'Once' }, { key: 'book-1' });
    expect([first.status, first.headers['idempotency-replayed']]).toEqual([201, undefined]);
    expect([again.status, again.headers['idempotency-replayed'], again.body]).toEqual([201, 'true', first.body]);
  });

  test('what is left out becomes what the OpenAPI document tells, and is not filled into what a key remembers', async () => {
    const paths = api.document.paths as unknown as Record<string, { post: { requestBody: { content: Content } } }>;
    const { properties } = paths['/v1/books']!.post.requestBody.content['application/json']!.schema;
    const told = Object.fromEntries(
      Object.entries(properties).flatMap(([field, schema]) => ('default' in schema ? [[field, schema.default]] : [])),
    );
    expect(Object.keys(told)).toHaveLength(Object.keys(properties).length - 1);
    const short = await create({ name: 'Short' }, { key: 'told' });
    expect([short.status, short.body]).toEqual([201, expect.objectContaining(told)]);
    const long = await create({ name: 'Short', ...told }, { key: 'told' });
    expect([long.status, long.body.kind]).toEqual([422, 'idempotency-key-reused']);
  });

  test('422: the same key with another body is idempotency-key-reused', async () => {
    await create({ name: 'First' }, { key: 'book-2' });
    const other = await create({ name: 'Second' }, { key: 'book-2' });
    expect([other.status, other.body.kind]).toEqual([422, 'idempotency-key-reused']);
    const elsewhere = await api.call('POST', '/v1/api-keys', { body: { name: 'First', role: 'admin' }, key: 'book-2' });
    expect([elsewhere.status, elsewhere.body.kind]).toEqual([422, 'idempotency-key-reused']);
  });

  test.each(['', 'a b', 'é', 'x'.repeat(256)])(
    '400: the Idempotency-Key %j is invalid-input that names it',
    async (key) => {
      const answer = await create({ name: 'x' }, { headers: { 'idempotency-key': key } });
      expect([answer.status, pathsOf(answer)]).toEqual([400, ['Idempotency-Key']]);
    },
  );

  test('201: an Idempotency-Key of 255 visible characters is taken', async () => {
    expect((await create({ name: 'x' }, { key: '!~'.repeat(127).padEnd(255, 'x') })).status).toBe(201);
  });

  test('400 before 422: a refused request leaves its key free', async () => {
    expect((await create({ name: '' }, { key: 'book-3' })).status).toBe(400);
    expect((await create({ name: 'Now it is right' }, { key: 'book-3' })).status).toBe(201);
  });
});

describe('GET /v1/books/{bookId}', () => {
  test('200: the book with its revision as ETag', async () => {
    const { body } = await create({ name: 'Readable' });
    const read = await api.call('GET', `/v1/books/${body.id}`);
    expect([read.status, read.headers.etag, read.body]).toEqual([200, '"1"', body]);
    expect((await api.call('GET', `/v1/books/${body.id.toUpperCase()}`)).body).toEqual(body);
  });

  test.each(['0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11', 'nonsense', '1', '%20'])(
    '404: %j is book-not-found',
    async (id) => {
      const { status, body } = await api.call('GET', `/v1/books/${id}`);
      expect([status, body.kind]).toEqual([404, 'book-not-found']);
    },
  );

  test('400: an unknown query parameter is invalid-input', async () => {
    const { body } = await create({ name: 'x' });
    const answer = await api.call('GET', `/v1/books/${body.id}?verbose=1`);
    expect([answer.status, pathsOf(answer)]).toEqual([400, ['verbose']]);
  });
});

describe('PATCH /v1/books/{bookId}', () => {
  test('200: what is given changes, what is left out stays, and the revision grows', async () => {
    const { body } = await create({ name: 'Before', maxCodesPerUser: 3 });
    const changed = await change(body.id, { name: 'After', maxCodesPerUser: null, status: 'active' });
    expect([changed.status, changed.headers.etag]).toEqual([200, '"2"']);
    expect(changed.body).toMatchObject({
      name: 'After',
      maxCodesPerUser: null,
      status: 'active',
      lockTtlSeconds: 300,
      rev: 2,
    });
    expect((await api.call('GET', `/v1/books/${body.id}`)).body).toEqual(changed.body);
  });

  test('200: draft, active, paused, active, closed', async () => {
    const { body } = await create({ name: 'Life' });
    for (const status of ['active', 'paused', 'active', 'closed']) {
      expect((await change(body.id, { status })).body).toMatchObject({ status });
    }
  });

  test('409: a step that a book can’t take is a conflict', async () => {
    const { body } = await create({ name: 'Closed', status: 'active' });
    await change(body.id, { status: 'closed' });
    for (const status of ['draft', 'active', 'paused']) {
      const answer = await change(body.id, { status });
      expect([answer.status, answer.body.kind, answer.body.reason]).toEqual([409, 'conflict', 'book-closed']);
    }
  });

  test('200: If-Match with the book’s revision changes it, strong, weak or *', async () => {
    const { body } = await create({ name: 'Guarded' });
    expect((await change(body.id, { name: 'A' }, { 'if-match': '"1"' })).status).toBe(200);
    expect((await change(body.id, { name: 'B' }, { 'if-match': 'W/"2"' })).status).toBe(200);
    expect((await change(body.id, { name: 'C' }, { 'if-match': '*' })).body.rev).toBe(4);
  });

  test('412: If-Match with another revision is revision-mismatch and changes nothing', async () => {
    const { body } = await create({ name: 'Guarded' });
    const answer = await change(body.id, { name: 'No' }, { 'if-match': '"2"' });
    expect([answer.status, answer.body.kind]).toEqual([412, 'revision-mismatch']);
    expect((await api.call('GET', `/v1/books/${body.id}`)).body).toEqual(body);
  });

  test.each(['1', '""', '"one"', '"1", "2"', '"0"', '"-1"', '"1'])(
    '400: the If-Match %j is invalid-input that names it',
    async (value) => {
      const { body } = await create({ name: 'Guarded' });
      const answer = await change(body.id, { name: 'No' }, { 'if-match': value });
      expect([answer.status, pathsOf(answer)]).toEqual([400, ['If-Match']]);
    },
  );

  test('400: unknown fields, and fields that a client can’t set, are invalid-input', async () => {
    const { body } = await create({ name: 'Fixed' });
    for (const field of ['id', 'rev', 'counts', 'createdAt', 'nonsense']) {
      expect(pathsOf(await change(body.id, { [field]: 1 }))).toEqual([`/${field}`]);
    }
  });

  test('404 after 400: a book that does not exist is book-not-found once the body is right', async () => {
    const id = '0193a6f0-7c3e-7b1a-9d52-3f1f6f0c8a11';
    expect((await change(id, { name: '' })).body.kind).toBe('invalid-input');
    expect((await change(id, { name: 'x' })).body.kind).toBe('book-not-found');
    expect((await change('nonsense', { name: 'x' })).body.kind).toBe('book-not-found');
  });
});

describe('GET /v1/books', () => {
  let books: Body[];
  const as = tokenOf('admin', 'admin-1', 'lists');
  const list = (query: string) => api.call('GET', `/v1/books${query}`, { as });
  beforeAll(async () => {
    await api.call('POST', '/v1/tenants', { body: { slug: 'lists', name: 'Lists' }, as: rootKey });
    books = [];
    for (let index = 0; index < 5; index += 1) {
      books.push((await create({ name: `Book ${index}`, status: index < 2 ? 'active' : 'draft' }, { as })).body);
    }
  });

  test('200: pages of any size give every book once', async () => {
    const all = await list('');
    expect(all.body.data.map(({ id }) => id).toSorted()).toEqual(books.map(({ id }) => id).toSorted());
    expect(all.body.nextCursor).toBeNull();
    for (const limit of [1, 2, 5]) {
      const seen: string[] = [];
      let cursor: string | null = '';
      while (cursor !== null) {
        const page: Answer = await list(`?limit=${limit}${cursor && `&cursor=${cursor}`}`);
        expect(page.body.data.length).toBeLessThanOrEqual(limit);
        seen.push(...page.body.data.map(({ id }) => id));
        cursor = page.body.nextCursor;
      }
      expect(seen).toEqual(all.body.data.map(({ id }) => id));
    }
  });

  test('200: status filters', async () => {
    expect((await list('?status=active')).body.data).toHaveLength(2);
    expect((await list('?status=closed')).body.data).toEqual([]);
  });

  describe('with q', () => {
    const names = ['Verano 100% Off', 'VERANO_2026', 'Navidad Ñandú', 'verano 100 percent'];
    const asNamer = tokenOf('admin', 'admin-1', 'names');
    const find = (q: string, more = '') =>
      api.call('GET', `/v1/books?q=${encodeURIComponent(q)}${more}`, { as: asNamer });
    const namesOf = (answer: Answer) => answer.body.data.map(({ name }) => name);
    beforeAll(async () => {
      await api.call('POST', '/v1/tenants', { body: { slug: 'names', name: 'Names' }, as: rootKey });
      for (const name of names) {
        await create({ name, ...(name === names[0] && { status: 'active' }) }, { as: asNamer });
        // Books of one millisecond have no order.
        await sleep(5);
      }
    });

    test.each([
      ['a part of the name, in any case', 'vErAnO', ['verano 100 percent', 'VERANO_2026', 'Verano 100% Off']],
      ['letters with accents', 'ñANDÚ', ['Navidad Ñandú']],
      ['an accent that is typed apart', 'Nandu'.replace('N', 'n\u0303').replace('u', 'u\u0301'), ['Navidad Ñandú']],
      ['a % for itself', '100%', ['Verano 100% Off']],
      ['a _ for itself', 'o_2', ['VERANO_2026']],
      ['a backslash for itself', '\\', []],
      ['spaces for themselves', 'o 1', ['verano 100 percent', 'Verano 100% Off']],
      ['what no name has', 'otoño', []],
    ])('200: %s is found, newest first', async (_what, q, found) => {
      const answer = await find(q);
      expect([answer.status, namesOf(answer), answer.body.nextCursor]).toEqual([200, found, null]);
      if (found.length > 0) expect(answer.body.data[0]).toHaveProperty('counts');
    });

    test('200: the status filters too, and pages give every book once', async () => {
      expect(namesOf(await find('verano', '&status=active'))).toEqual(['Verano 100% Off']);
      const first = await find('verano', '&limit=2');
      const second = await find('verano', `&limit=2&cursor=${first.body.nextCursor}`);
      expect([...namesOf(first), ...namesOf(second)]).toEqual(['verano 100 percent', 'VERANO_2026', 'Verano 100% Off']);
    });

    test('400: a cursor is good for its q alone, and q must be a text of 1 to 200 characters', async () => {
      const { nextCursor } = (await find('verano', '&limit=1')).body;
      for (const wrong of [await find('veran', `&cursor=${nextCursor}`), await find('verano', '&cursor=x')]) {
        expect([wrong.status, pathsOf(wrong)]).toEqual([400, ['cursor']]);
      }
      const without = await api.call('GET', `/v1/books?cursor=${nextCursor}`, { as: asNamer });
      expect([without.status, pathsOf(without)]).toEqual([400, ['cursor']]);
      for (const q of ['', 'x'.repeat(201), 'a\0']) {
        const answer = await find(q);
        expect([answer.status, pathsOf(answer)]).toEqual([400, ['q']]);
      }
    });
  });

  test.each(['0', '1001', '-1', 'abc', '1.5', '1e2', '0x10', '', '%2010', '+1', '9999999999'])(
    '400: the limit %j is invalid-input that names it',
    async (limit) => {
      const answer = await list(`?limit=${limit}`);
      expect([answer.status, pathsOf(answer)]).toEqual([400, ['limit']]);
    },
  );

  test('400: a parameter that is unknown or comes twice is invalid-input that names it', async () => {
    expect(pathsOf(await list('?offset=10'))).toEqual(['offset']);
    expect(pathsOf(await list('?limit=1&limit=2'))).toEqual(['limit']);
    expect(pathsOf(await list('?status=open'))).toEqual(['status']);
    expect(pathsOf(await list('?__proto__=1'))).toEqual(['__proto__']);
  });

  test('400: a cursor that was tampered with, or comes from another list or tenant, is invalid-input', async () => {
    const cursor = (await list('?limit=1')).body.nextCursor!;
    const changed = `${cursor.slice(0, -1)}${cursor.endsWith('A') ? 'B' : 'A'}`;
    for (const bad of [changed, `${cursor}x`, 'nonsense', cursor.slice(4)]) {
      expect(pathsOf(await list(`?limit=1&cursor=${bad}`))).toEqual(['cursor']);
    }
    expect(pathsOf(await list(`?limit=1&status=active&cursor=${cursor}`))).toEqual(['cursor']);
    expect(pathsOf(await api.call('GET', `/v1/api-keys?cursor=${cursor}`, { as }))).toEqual(['cursor']);
    expect(pathsOf(await api.call('GET', `/v1/books?limit=1&cursor=${cursor}`))).toEqual(['cursor']);
  });
});
