import { describe, expect, test } from '@jest/globals';
import { applyChanges, checkTransition, isChanged, readBookChanges, readNewBook } from '../../core/books/book-rules.ts';
import { BookInput, BookPatch, type BookStatus, type BookTerms, newBookTerms } from '../../core/books/book-terms.ts';
import { CouponError, type Refusal } from '../../core/errors.ts';
import { checkInput } from '../../core/input/check-input.ts';
import { contractTerms } from '../support/contract-book.ts';

const berlin = 'Europe/Berlin';

/** A request's body as the terms of a new book: its shape is checked, then what the shape can't say. */
const newBook = (body: unknown) => readNewBook(checkInput(BookInput, body));
const changesOf = (body: unknown) => readBookChanges(checkInput(BookPatch, body));

function refusalOf(work: () => unknown): Refusal | null {
  try {
    work();
  } catch (error) {
    if (error instanceof CouponError) return error.refusal;
    throw error;
  }
  return null;
}

/** The paths that a new book's refusal names. */
function pathsOf(input: unknown): string[] {
  const refusal = refusalOf(() => newBook(input));
  expect(refusal?.kind).toBe('invalid-input');
  return refusal?.errors?.map((problem) => problem.path) ?? [];
}

function messageOf(input: object): string {
  return refusalOf(() => newBook({ name: 'n', ...input }))?.detail ?? '';
}

describe('a new book', () => {
  test('has the contract’s defaults for all that its request leaves out', () => {
    expect(newBook({ name: 'Verano 2026' })).toEqual({
      name: 'Verano 2026',
      ...contractTerms,
    });
  });

  test('keeps every field that its request gives', () => {
    const given = {
      name: '名'.repeat(200),
      description: '',
      status: 'active',
      publicCode: 'SUMMER20',
      timeZone: 'America/Argentina/Buenos_Aires',
      startsAt: '2026-11-27T03:00:00.000Z',
      endsAt: '2026-12-01T03:00:00.000Z',
      maxCodesPerUser: 1_000_000,
      maxRedemptionsPerCode: null,
      maxRedemptionsPerUser: 1,
      maxRedemptions: 1_000_000_000_000,
      validForDays: 3_650,
      lockTtlSeconds: 86_400,
      requireLock: true,
      selfService: true,
      metadata: { campaign: ['bf', { deep: null }] },
    };
    expect(newBook(given)).toEqual(given);
  });

  test.each([undefined, null, 'text', 7, [], true])('is not made of a body that is no object (%p)', (input) => {
    expect(pathsOf(input)).toEqual(['body']);
  });

  test('needs a name', () => {
    expect(pathsOf({})).toEqual(['/name']);
    expect(pathsOf({ name: undefined })).toEqual(['/name']);
  });

  test.each([
    ['name', ['', ' \t ', 'x'.repeat(201), 'a\0b', 'a\ud800', 7, null]],
    ['description', ['x'.repeat(2001), '\0', 7, false]],
    ['status', ['paused', 'closed', 'ACTIVE', '', null, 1]],
    ['timeZone', ['Mars/Olympus', '', '+03:00', 'Z', null, 3, 'UTC\0', '../etc/localtime', 'x'.repeat(100_000)]],
    ['startsAt', ['', 'tomorrow', '2026-11', '2026-02-30T00:00:00Z', '2026-11-27T25:00:00Z', 1_700_000_000, false]],
    [
      'endsAt',
      ['2026-11-27T00:00:00Z[Europe/Berlin]', '2026-11-27 00:00:00', '2026-11-27T00:00:60Z', '1969-12-31T23:59:59Z'],
    ],
    [
      'startsAt',
      ['+012026-01-01T00:00:00Z', '9999-12-31T23:59:59-01:00', '0000-01-01T00:00:00Z', '2026-11-27T00:00:00+25:00'],
    ],
    ['maxCodesPerUser', [0, -1, 1.5, '3', 1_000_001, Number.NaN, true]],
    ['maxRedemptionsPerCode', [0, 1_000_001, '1']],
    ['maxRedemptionsPerUser', [0, 1_000_001, {}]],
    ['maxRedemptions', [0, 1_000_000_000_001, []]],
    ['lockTtlSeconds', [0, 86_401, 1.5, null, '300']],
    ['requireLock', ['false', 0, null]],
    ['selfService', ['true', 1, null]],
    ['metadata', [null, [], 'x', 7, { a: '\0' }, { '\ud800': 1 }, { a: 'x'.repeat(4_096) }]],
  ])('names %s when its value is not one of the field', (field, values) => {
    for (const value of values) expect(pathsOf({ name: 'n', [field]: value })).toEqual([`/${field}`]);
  });

  test('names every wrong and every unknown field at once, as JSON pointers', () => {
    const input = JSON.parse('{"name":"","lockTtlSeconds":0,"a/b~c":1,"__proto__":{},"constructor":1,"toString":1}');
    expect(pathsOf(input).sort()).toEqual(
      ['/__proto__', '/a~1b~0c', '/constructor', '/lockTtlSeconds', '/name', '/toString'].sort(),
    );
  });

  test('takes metadata of exactly 4,096 bytes of JSON and not of one more', () => {
    const metadata = { a: 'é'.repeat(2_044) };
    expect(Buffer.byteLength(JSON.stringify(metadata))).toBe(4_096);
    expect(newBook({ name: 'n', metadata }).metadata).toEqual(metadata);
    expect(pathsOf({ name: 'n', metadata: { a: `${metadata.a}x` } })).toEqual(['/metadata']);
  });

  test('refuses metadata that is nested 10,000 deep without overflowing the stack', () => {
    let deep: object = {};
    for (let level = 0; level < 10_000; level += 1) deep = { a: deep };
    expect(pathsOf({ name: 'n', metadata: deep })).toEqual(['/metadata']);
  });
});

describe('the window', () => {
  test.each([
    ['2026-11-27T00:00:00-03:00', '2026-11-27T03:00:00.000Z'],
    ['2026-11-27t00:00:00.1239z', '2026-11-27T00:00:00.123Z'],
    ['2026-11-27T00:00Z', '2026-11-27T00:00:00.000Z'],
    ['2026-11-27T00:00:00', '2026-11-26T23:00:00.000Z'],
    ['2026-07-01T00:00', '2026-06-30T22:00:00.000Z'],
    ['2026-07-01T00:00:00.5', '2026-06-30T22:00:00.500Z'],
  ])('%s in Europe/Berlin is %s', (startsAt, instant) => {
    expect(newBook({ name: 'n', timeZone: berlin, startsAt }).startsAt).toBe(instant);
  });

  test('a local time that the zone skips is refused, and the message gives the times on both sides', () => {
    const message = messageOf({ timeZone: berlin, startsAt: '2026-03-29T02:30:00' });
    expect(message).toContain('/startsAt');
    expect(message).toContain('does not have');
    expect(message).toContain('2026-03-29T01:30:00+01:00 or 2026-03-29T03:30:00+02:00');
  });

  test('a local time that the zone has twice is refused, and the message gives both with their offsets', () => {
    const message = messageOf({ timeZone: berlin, endsAt: '2026-10-25T02:30:00' });
    expect(message).toContain('/endsAt');
    expect(message).toContain('2026-10-25T02:30:00+02:00 or 2026-10-25T02:30:00+01:00');
  });

  test('with an offset, a time that is twice on the clock is taken as the one it says', () => {
    const book = newBook({ name: 'n', timeZone: berlin, startsAt: '2026-10-25T02:30:00+01:00' });
    expect(book.startsAt).toBe('2026-10-25T01:30:00.000Z');
  });

  test('a zone’s day without a midnight has no start at midnight', () => {
    expect(messageOf({ timeZone: 'America/Santiago', startsAt: '2026-09-06T00:00:00' })).toContain('does not have');
  });

  test('of days has the whole of both, from the first moment of the one to the end of the other, in the book’s zone', () => {
    const day = { name: 'n', startsAt: '2026-11-27', endsAt: '2026-11-27' };
    expect(newBook(day)).toMatchObject({
      startsAt: '2026-11-27T00:00:00.000Z',
      endsAt: '2026-11-28T00:00:00.000Z',
    });
    const there = newBook({ ...day, timeZone: 'America/Argentina/Buenos_Aires', endsAt: '2026-11-30' });
    expect(there).toMatchObject({ startsAt: '2026-11-27T03:00:00.000Z', endsAt: '2026-12-01T03:00:00.000Z' });
  });

  test.each([
    ['has 25 hours', berlin, '2026-10-25', '2026-10-24T22:00:00.000Z', '2026-10-25T23:00:00.000Z'],
    ['has 23 hours', berlin, '2026-03-29', '2026-03-28T23:00:00.000Z', '2026-03-29T22:00:00.000Z'],
    ['begins at one', 'America/Sao_Paulo', '2018-11-04', '2018-11-04T03:00:00.000Z', '2018-11-05T02:00:00.000Z'],
    ['begins at one', 'Asia/Beirut', '2026-03-29', '2026-03-28T22:00:00.000Z', '2026-03-29T21:00:00.000Z'],
    ['begins at one', 'America/Havana', '2026-03-08', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['has two midnights', 'America/Havana', '2026-11-01', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    [
      'is followed by one without a midnight',
      'Asia/Beirut',
      '2026-03-28',
      '2026-03-27T22:00:00.000Z',
      '2026-03-28T22:00:00.000Z',
    ],
    ['ends the year', 'Pacific/Kiritimati', '2026-12-31', '2026-12-30T10:00:00.000Z', '2026-12-31T10:00:00.000Z'],
    ['is a leap day', 'UTC', '2028-02-29', '2028-02-29T00:00:00.000Z', '2028-03-01T00:00:00.000Z'],
  ])('of a day that %s (%s, %s) is that day and no more', (_what, timeZone, day, startsAt, endsAt) => {
    expect(newBook({ name: 'n', timeZone, startsAt: day, endsAt: day })).toMatchObject({ startsAt, endsAt });
  });

  test.each(['2026-02-29', '2026-13-01', '2026-00-10', '9999-12-31', '1969-12-30'])(
    'ends on no day that the calendar lacks or that leads out of its years (%s)',
    (endsAt) => {
      expect(pathsOf({ name: 'n', endsAt })).toEqual(['/endsAt']);
    },
  );

  test('that ends on the day before it starts is refused', () => {
    expect(pathsOf({ name: 'n', startsAt: '2026-11-28', endsAt: '2026-11-27' })).toEqual(['/endsAt']);
  });

  test.each([
    ['ends before it starts', '2026-12-01T00:00:00Z', '2026-11-30T23:59:59.999Z'],
    ['is empty', '2026-12-01T00:00:00Z', '2026-12-01T01:00:00+01:00'],
  ])('one that %s is refused at endsAt', (_what, startsAt, endsAt) => {
    expect(pathsOf({ name: 'n', startsAt, endsAt })).toEqual(['/endsAt']);
  });

  test('one of a single millisecond is a window', () => {
    const book = newBook({ name: 'n', startsAt: '2026-12-01T00:00:00Z', endsAt: '2026-12-01T00:00:00.001Z' });
    expect(book.endsAt).toBe('2026-12-01T00:00:00.001Z');
  });

  test('zones are taken in any case and kept in the list’s', () => {
    expect(newBook({ name: 'n', timeZone: 'america/new_york' }).timeZone).toBe('America/New_York');
    expect(newBook({ name: 'n', timeZone: 'utc' }).timeZone).toBe('UTC');
  });
});

describe('a change', () => {
  const before: BookTerms = {
    ...newBookTerms,
    name: 'n',
    timeZone: berlin,
    startsAt: '2026-07-01T00:00:00.000Z',
    endsAt: '2026-08-01T00:00:00.000Z',
  };
  const change = (input: object) => applyChanges(before, changesOf(input));

  test('leaves alone what it does not name', () => {
    expect(change({ name: 'm' })).toEqual({ ...before, name: 'm' });
    expect(change({})).toEqual(before);
  });

  test('reads local times in the book’s zone, or in the zone that it brings', () => {
    expect(change({ startsAt: '2026-07-02T00:00:00' }).startsAt).toBe('2026-07-01T22:00:00.000Z');
    expect(change({ startsAt: '2026-07-02T00:00:00', timeZone: 'UTC' }).startsAt).toBe('2026-07-02T00:00:00.000Z');
  });

  test('reads days in the book’s zone, or in the zone that it brings', () => {
    expect(change({ endsAt: '2026-07-31' }).endsAt).toBe('2026-07-31T22:00:00.000Z');
    expect(change({ endsAt: '2026-07-31', timeZone: 'Asia/Tokyo' }).endsAt).toBe('2026-07-31T15:00:00.000Z');
  });

  test('of the zone alone moves no time', () => {
    expect(change({ timeZone: 'Asia/Tokyo' })).toEqual({ ...before, timeZone: 'Asia/Tokyo' });
  });

  test('of one end of the window is checked against the other end, and named', () => {
    const late = refusalOf(() => change({ startsAt: '2026-08-01T00:00:00Z' }));
    expect(late?.errors).toEqual([{ path: '/startsAt', message: 'must be before endsAt, 2026-08-01T00:00:00.000Z' }]);
    const early = refusalOf(() => change({ endsAt: '2026-07-01T00:00:00Z' }));
    expect(early?.errors).toEqual([{ path: '/endsAt', message: 'must be after startsAt, 2026-07-01T00:00:00.000Z' }]);
    expect(change({ startsAt: '2027-01-01T00:00:00Z', endsAt: null }).endsAt).toBeNull();
  });

  test('to what is there already is none, whatever the order of the fields in metadata', () => {
    const book = { ...before, metadata: { a: 1, b: { c: 2, d: 3 } } };
    const same = applyChanges(
      book,
      changesOf({ metadata: { b: { d: 3, c: 2 }, a: 1 }, startsAt: '2026-07-01T02:00:00' }),
    );
    expect(isChanged(book, same)).toBe(false);
    expect(isChanged(book, { ...book, requireLock: true })).toBe(true);
  });

  test('may not set what only the product sets', () => {
    for (const field of ['id', 'rev', 'counts', 'createdAt', 'updatedAt']) {
      expect(refusalOf(() => change({ [field]: 1 }))?.errors?.[0]?.path).toBe(`/${field}`);
    }
  });

  const ways: Record<BookStatus, BookStatus[]> = {
    draft: ['active'],
    active: ['paused', 'closed'],
    paused: ['active', 'closed'],
    closed: [],
  };
  const statuses: BookStatus[] = ['draft', 'active', 'paused', 'closed'];
  for (const from of statuses) {
    for (const to of statuses) {
      if (from === to) continue;
      const allowed = ways[from].includes(to);
      test(`from ${from} to ${to} is ${allowed ? 'allowed' : 'a conflict'}`, () => {
        const refusal = refusalOf(() => checkTransition({ ...before, status: from }, { ...before, status: to }));
        expect(refusal?.kind ?? 'allowed').toBe(allowed ? 'allowed' : 'conflict');
      });
    }
  }

  test('of anything on a closed book is a conflict', () => {
    const closed: BookTerms = { ...before, status: 'closed' };
    expect(refusalOf(() => checkTransition(closed, { ...closed, name: 'm' }))?.kind).toBe('conflict');
  });
});
