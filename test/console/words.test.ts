import { beforeAll, describe, expect, test } from '@jest/globals';
import { matchPath } from '../../containers/console/address/match-path.ts';
import { chooseLanguage } from '../../containers/console/language/choices.ts';
import {
  formatBeside,
  formatDay,
  formatDayInWords,
  formatDuration,
  formatExactMoment,
  formatExactTime,
  formatMoment,
  formatZone,
  fromLocalInput,
  placeOf,
  toLocalInput,
  zoneAt,
} from '../../containers/console/language/formats.ts';
import { language } from '../../containers/console/language/language.ts';
import { readWholeNumber } from '../../containers/console/language/read-number.ts';
import { isSameText } from '../../containers/console/language/same-text.ts';
import { en } from '../../containers/console/messages/en.ts';
import { es } from '../../containers/console/messages/es.ts';
import { loadMessages } from '../../containers/console/messages/messages.ts';
import { newDraft } from '../../containers/console/pages/book/book-draft.ts';
import { endFault, faultyFields } from '../../containers/console/pages/book/book-faults.ts';
import { erased, holdersAt, reasonsAt } from '../../containers/console/pages/code/standing-at.ts';
import { restOfJob } from '../../containers/console/pages/jobs/rest-of-job.ts';
import { faultWords } from '../../containers/console/parts/fault-words.ts';
import { rowNames } from '../../containers/console/parts/row-names.ts';
import { csvOf } from '../../containers/console/parts/save-file.ts';
import { ApiKeyInput, readExpiry } from '../../core/access/api-key-input.ts';
import { backgroundTasks } from '../../core/background.ts';
import { readNewBook } from '../../core/books/book-rules.ts';
import { BookInput } from '../../core/books/book-terms.ts';
import { parsePattern } from '../../core/codes/pattern-rules.ts';
import type { Core } from '../../core/core.ts';
import { CouponError } from '../../core/errors.ts';
import { checkInput } from '../../core/input/check-input.ts';

describe('addresses', () => {
  test.each([
    ['/books/:bookId/:tab?', '/books/b1', { bookId: 'b1' }],
    ['/books/:bookId/:tab?', '/books/b1/rules', { bookId: 'b1', tab: 'rules' }],
    ['/users/:userId', '/users/a%2Fb%20%F0%9F%8E%9F', { userId: 'a/b 🎟' }],
    ['/users/:userId', '/users/100%', { userId: '100%' }],
    ['/users/:userId', '/users/a/b', null],
    ['/users/:userId', '/users/', null],
    ['/', '/', {}],
    ['/', '/books', null],
  ])('%s takes %s as %j', (pattern, path, found) => {
    expect(matchPath(pattern, path)).toEqual(found);
  });
});

describe('languages', () => {
  test.each([
    [null, ['es-AR', 'en'], 'es'],
    [null, ['fr-FR', 'es'], 'es'],
    [null, ['de'], 'en'],
    ['en', ['es-AR'], 'en'],
    ['<script>', ['es'], 'es'],
  ] as const)('%s kept and %j preferred is %s', (kept, preferred, chosen) => {
    expect(chooseLanguage(kept, preferred)).toBe(chosen);
  });

  test('no text of one language is left as it is in the other, but for names', () => {
    const same = leaves(en).filter(([path, text]) => text.length > 12 && new Map(leaves(es)).get(path) === text);
    expect(same).toEqual([]);
  });

  test('each piece of work in the background has a name for people in both', () => {
    // As where it can tell operators of books, which adds a piece.
    const names = backgroundTasks({ announcer: {} } as Core).map(({ name }) => name);
    for (const { health } of [en, es]) expect(Object.keys(health.taskNames).toSorted()).toEqual(names.toSorted());
  });

  test('a million is counted as each language does', () => {
    expect(en.common.codes(1_000_000)).toBe('1,000,000 codes');
    expect(es.common.codes(1_000_000)).toBe('1.000.000 de códigos');
    // Beside a longer number it has its mark too, which is not usual in running text.
    expect(es.common.codes(1_900)).toBe('1.900 códigos');
    expect([en.common.codes(1), es.common.codes(1), es.common.codes(0)]).toEqual(['1 code', '1 código', '0 códigos']);
  });
});

test('a day is said in words, and what is none is not', () => {
  language.value = 'es';
  expect(formatDayInWords('2026-12-04')).toBe(`Viernes, ${unbroken('4 de diciembre de 2026')}`);
  language.value = 'en';
  expect(formatDayInWords('2026-12-04')).toBe(`Friday, ${unbroken('4 December 2026')}`);
  expect(['', '2026-13-04', 'soon'].map(formatDayInWords)).toEqual([null, null, null]);
});

test.each([
  ['America/Argentina/Buenos_Aires', 'Buenos\u00A0Aires, GMT-3'],
  ['Asia/Kolkata', 'Kolkata, GMT+5:30'],
  ['UTC', null],
  ['Europa/Madrid', null],
  ['', null],
])('the zone %j is %j', (zone, words) => {
  expect(formatZone(zone)).toBe(words);
});

test('the name of a place stays on one line', () => {
  expect(['America/Argentina/Buenos_Aires', 'UTC'].map(placeOf)).toEqual(['Buenos\u00A0Aires', 'UTC']);
});

test.each([
  [' buenos  aires', 'America/Buenos_Aires'],
  ['São Paulo', 'America/Sao_Paulo'],
  ['europe/MADRID', 'Europe/Madrid'],
  ['America/Argentina/Buenos_Aires', null],
  ['Atlantis', null],
  ['', null],
])('the place %j stands for the zone %j', (place, zone) => {
  expect(zoneAt(place)).toBe(zone);
});

describe('local times', () => {
  test.each([
    ['2026-07-01T00:00', 'America/Argentina/Buenos_Aires', '2026-07-01T03:00:00.000Z'],
    ['2026-03-29T03:30', 'Europe/Madrid', '2026-03-29T01:30:00.000Z'],
    ['2026-10-25T02:30', 'Europe/Madrid', '2026-10-25T00:30:00.000Z'],
    ['2026-01-01T00:00', 'Pacific/Kiritimati', '2025-12-31T10:00:00.000Z'],
    ['2026-01-01T00:00', 'Asia/Kathmandu', '2025-12-31T18:15:00.000Z'],
    ['2026-01-01T00:00', 'Nowhere/City', null],
    ['soon', 'UTC', null],
  ])('%s in %s is %s', (local, zone, instant) => {
    expect(fromLocalInput(local, zone)).toBe(instant);
    if (instant !== null) expect(toLocalInput(instant, zone)).toBe(local);
  });
});

/** As a text is written that stays on one line. */
const unbroken = (text: string) => text.replaceAll(' ', '\u00A0');

test('a time has two digits for its hour, so that times stand under one another, and stays on one line', () => {
  const at = '2026-11-29T03:05:09Z';
  const before = language.value;
  for (const [name, words] of [
    ['en', ['29 Nov 2026, 03:05', '29 Nov 2026, 03:05:09', '29 Nov 2026']],
    ['es', ['29 nov 2026, 03:05', '29 nov 2026, 03:05:09', '29 nov 2026']],
  ] as const) {
    language.value = name;
    expect([formatMoment(at, 'UTC'), formatExactMoment(at, 'UTC'), formatDay(at, 'UTC')]).toEqual(words.map(unbroken));
  }
  language.value = before;
});

test.each([
  ['America/Argentina/Buenos_Aires', false, null],
  ['UTC', false, '09:00'],
  ['UTC', true, '09:00:00'],
  ['Pacific/Kiritimati', false, '29 Nov 2026, 09:00'],
] as const)('beside a moment of %s (exact: %s) a viewer in Buenos Aires reads %s', (zone, isExact, shown) => {
  expect(formatBeside('2026-11-29T12:00:00Z', zone, isExact, 'America/Argentina/Buenos_Aires')).toBe(
    shown === null ? null : unbroken(shown),
  );
});

test.each([
  [' verano  2026 ', 'Verano 2026', true],
  ['LEÓN', 'Leo\u0301n', true],
  ['Verano', 'Verano 2026', false],
  ['', 'Verano', false],
])('%j is what was asked for as %j: %s', (typed, wanted, isSame) => {
  expect(isSameText(typed, wanted)).toBe(isSame);
});

test.each([
  ['', '', null],
  ['2026-01-01T00:00', '', null],
  ['', '2026-06-01T00:00', 'endPast'],
  ['', '2026-06-01T09:30', null],
  ['2026-07-01T00:00', '2026-07-01T00:00', 'endNotAfterStart'],
  ['2026-07-01T00:00', '2026-07-01T00:01', null],
] as const)('of a book from %j to %j is said: %s', (startsAt, endsAt, fault) => {
  const now = Date.parse('2026-06-01T12:00:00Z');
  expect(endFault({ startsAt, endsAt, timeZone: 'America/Argentina/Buenos_Aires' }, now)).toBe(fault);
});

test('what no server takes is known before it is sent', () => {
  const draft = { ...newDraft('UTC'), name: ' ', timeZone: '+03:00', maxRedemptions: '1,5', maxCodesPerUser: '1,500' };
  expect(faultyFields(draft, 0)).toEqual(['name', 'timeZone', 'maxRedemptions']);
  expect(faultyFields({ ...newDraft('Europe/Madrid'), name: 'Summer' }, 0)).toEqual([]);
});

describe('numbers that people type', () => {
  test.each([
    ['5000', 5_000],
    [' 5,000 ', 5_000],
    ['1.000.000', 1_000_000],
    ['12 000', 12_000],
    ['0', 0],
    ['1.5', null],
    ['1,5', null],
    ['1,000.000', null],
    ['1e3', null],
    ['-5', null],
    ['', null],
  ])('%j is %j', (typed, number) => {
    expect(readWholeNumber(typed)).toBe(number);
  });

  test('how long something takes is said in a unit that says something', () => {
    expect([12, 3_400, 90_000, 7_200_000, 3 * 86_400_000].map(formatDuration)).toEqual(
      ['12 ms', '3.4 sec', '1.5 min', '2 hr', '3 days'].map(unbroken),
    );
  });
});

test('no two rows of a table are called the same', () => {
  const rows = ['a', 'b', 'a', 'a'].map((name, id) => ({ id: String(id), name }));
  const names = rowNames(
    rows,
    ({ id }) => id,
    ({ name }) => name,
  );
  expect([...names.values()]).toEqual(['a', 'b', 'a (2)', 'a (3)']);
});

describe('what a job has not done, as a file for another one', () => {
  test.each([
    [
      'users, as often as they still want a code',
      'assign',
      'line,userId,outcome,code\r\n2,ana,assigned,A-1\r\n2,ana,no-codes-left,\r\n2,ana,,\r\n3,\'+34,,\r\n4,"a, ""b""",internal,\r\n5,ana,duplicate-in-file,\r\n6,,user-erased,\r\n',
      'userId,count\r\nana,2\r\n+34,1\r\n"a, ""b""",1\r\n',
    ],
    [
      'codes',
      'void',
      'line,code,outcome\r\n2,AA-11,voided\r\n3,BB-22,coupon-void\r\n4,CC-33,coupon-not-found\r\n5,DD-44,\r\n',
      'code\r\nCC-33\r\nDD-44\r\n',
    ],
    ['nothing', 'void', 'line,code,outcome\r\n2,AA-11,voided\r\n', null],
  ] as const)('%s', (_what, kind, result, rest) => {
    expect(restOfJob(kind, result)).toBe(rest);
  });
});

test('codes that are brought again have the reason that is given for all of them', () => {
  const result = 'line,code,outcome\r\n2,AA-11,voided\r\n3,CC-33,internal\r\n4,DD-44,\r\n';
  expect(restOfJob('void', result, 'Leaked, twice')).toBe(
    'code,reason\r\nCC-33,"Leaked, twice"\r\nDD-44,"Leaked, twice"\r\n',
  );
});

describe('what the server finds wrong with a field', () => {
  beforeAll(() => loadMessages('es'));

  /** In the server's own words. */
  const told = (act: () => unknown): string[] => {
    try {
      act();
    } catch (error) {
      if (error instanceof CouponError) return (error.refusal.errors ?? []).map(({ message }) => message);
      throw error;
    }
    return [];
  };
  const ofBook = (fields: object) =>
    told(() => readNewBook(checkInput(BookInput, { name: 'Summer', timeZone: 'Europe/Madrid', ...fields })));
  const wrongPattern = (template: string) => {
    const parsed = parsePattern(template);
    return parsed.ok ? '' : parsed.message;
  };

  test.each([
    ['no name', () => ofBook({ name: '' }), ''],
    ['a blank name', () => ofBook({ name: ' ' }), ''],
    ['a long name', () => ofBook({ name: 'x'.repeat(201) }), 'Como máximo 200 caracteres.'],
    ['a text for a number', () => ofBook({ maxCodesPerUser: '1,5' }), ''],
    ['a number below its bound', () => ofBook({ validForDays: 0 }), 'Como mínimo 1.'],
    ['a number above its bound', () => ofBook({ validForDays: 3_651 }), 'Como máximo 3.650.'],
    ['a zone that is none', () => ofBook({ timeZone: 'Europa/Madrid' }), ''],
    ['a text for a time', () => ofBook({ endsAt: 'soon' }), ''],
    ['a day that is none', () => ofBook({ endsAt: '2026-02-30' }), es.problems.faults.noSuchDay],
    ['a time that clocks skip', () => ofBook({ endsAt: '2026-03-29T02:30' }), es.problems.faults.never],
    ['a time that clocks show twice', () => ofBook({ endsAt: '2026-10-25T02:30' }), es.problems.faults.twice],
    [
      'an end before the start',
      () => ofBook({ startsAt: '2026-02-01', endsAt: '2026-01-01' }),
      es.problems.faults.notAfterStart,
    ],
    ['a code of one sign', () => ofBook({ publicCode: 'A' }), 'Como mínimo 4 caracteres.'],
    ['a code with a strange sign', () => ofBook({ publicCode: 'AÑO-2026' }), 'Cambia «Ñ».'],
    ['a pattern without a place', () => [wrongPattern('SUMMER')], es.problems.faults.noPlace],
    ['a key without a name', () => told(() => checkInput(ApiKeyInput, { role: 'admin' })), ''],
    ['a key of the past', () => told(() => readExpiry('2020-01-01T00:00:00Z', Date.now())), es.problems.faults.past],
  ] as const)('%s is said in the language in use', (_what, tell, words) => {
    language.value = 'es';
    expect(tell().map(faultWords)).toEqual([words]);
    language.value = 'en';
  });

  test('what the console does not know stays in the server’s words', () => {
    expect(ofBook({ publicCode: '----' }).map(faultWords)).toEqual([null]);
  });
});

describe('why a coupon was refused', () => {
  const event = (kind: 'assigned' | 'locked' | 'unlocked' | 'redeemed' | 'transferred', at: string, data = {}) =>
    ({ kind, at: `2026-11-27T${at}Z`, userId: 'ana', data, rev: 1, actor: 'key:1' }) as never;
  const story = [
    event('assigned', '20:00:00'),
    event('locked', '21:05:20', { lockedUntil: '2026-11-27T21:10:20Z' }),
    event('unlocked', '21:05:50'),
    event('redeemed', '21:30:00'),
    event('transferred', '22:00:00', { fromUserId: 'ana', toUserId: 'leo' }),
  ];
  const active = { startsAt: null, endsAt: null, status: 'active', at: '2026-11-01T00:00:00.000Z' } as const;
  const now = Date.parse('2026-11-27T23:00:00.000Z');
  const kindsAt = (time: string, book: Parameters<typeof reasonsAt>[3] = [active]) =>
    reasonsAt(new Date(`2026-11-27T${time}Z`), story, { maxRedemptions: 1, expiresAt: null }, book, now).map(
      ({ kind }) => kind,
    );

  test.each([
    ['19:00:00', ['notAssigned']],
    // Nobody's before, and somebody's after.
    ['19:59:30', ['notAssigned']],
    ['20:30:00', ['nothing']],
    // A lock that came and went within the minute that the customer names.
    ['21:05:00', ['locked']],
    ['21:06:00', ['nothing']],
    ['21:30:00', ['usedUp']],
    // The minute that is now, of which a part has passed, and the one after it.
    ['23:00:00', ['usedUp']],
    ['23:01:00', ['notYet']],
  ])('in the minute of %s: %j', (time, kinds) => {
    expect(kindsAt(time)).toEqual(kinds);
  });

  // It was paused from 20:10 to 20:20.
  const paused = [
    { ...active, at: '2026-11-27T20:20:00.000Z' },
    { ...active, at: '2026-11-27T20:10:00.000Z', status: 'paused' },
    active,
  ] as const;

  test.each([
    ['20:09:00', ['nothing']],
    // It was paused within the minute that the customer names.
    ['20:09:01', ['bookPaused']],
    ['20:15:00', ['bookPaused']],
    // And let go within it.
    ['20:19:59', ['bookPaused']],
    ['20:20:00', ['nothing']],
  ])('of a book that was paused for ten minutes, in the minute of %s: %j', (time, kinds) => {
    expect(kindsAt(time, paused)).toEqual(kinds);
  });

  test.each([
    ['draft', ['bookDraft']],
    ['closed', ['bookClosed']],
  ] as const)('of a book that is %s: %j', (status, kinds) => {
    expect(kindsAt('20:30:00', [{ ...active, status }])).toEqual(kinds);
  });

  test('of a moment before all that is known of the book: what it was at first', () => {
    const later = { ...active, at: '2026-11-27T22:00:00.000Z' };
    expect(kindsAt('20:30:00', [{ ...later, status: 'paused' }])).toEqual(['bookPaused']);
    expect(kindsAt('20:30:00', [])).toEqual(['nothing']);
  });

  test('of a book whose end was moved: its end of then, and when that was', () => {
    const endsAt = '2026-11-27T20:10:00.000Z';
    const extended = [
      { ...active, at: '2026-11-27T20:20:00.000Z' },
      { ...active, endsAt },
    ];
    expect(['20:05:00', '20:10:00', '20:25:00'].map((time) => kindsAt(time, extended))).toEqual([
      ['nothing'],
      ['bookEnded'],
      ['nothing'],
    ]);
  });

  test('what held for a part of the minute only has its times, to the millisecond', () => {
    const at = (time: string) => Date.parse(`2026-11-27T${time}Z`);
    const minute = [
      event('assigned', '21:05:10.100'),
      event('locked', '21:05:10.350', { lockedUntil: '2026-11-27T21:05:20.000Z' }),
      event('transferred', '21:05:30.000', { fromUserId: 'ana', toUserId: 'leo' }),
      event('redeemed', '21:05:40.000'),
    ];
    const start = new Date('2026-11-27T21:05:00Z');
    expect(reasonsAt(start, minute, { maxRedemptions: 1, expiresAt: null }, [active], now)).toEqual([
      { kind: 'notAssigned', from: null, to: at('21:05:10.100') },
      // The lock ran out by itself, of which no event tells.
      { kind: 'locked', at: '2026-11-27T21:05:20.000Z', from: at('21:05:10.350'), to: at('21:05:20.000') },
      { kind: 'usedUp', from: at('21:05:40.000'), to: null },
    ]);
    expect(holdersAt(start, minute)).toEqual([
      { user: 'ana', from: at('21:05:10.100'), to: at('21:05:30.000') },
      { user: 'leo', from: at('21:05:30.000'), to: null },
    ]);
    expect(formatExactTime(at('21:05:10.100'), 'UTC', false)).toBe('21:05:10');
    expect(formatExactTime(at('21:05:10.100'), 'UTC', true)).toBe('21:05:10.100');
  });

  test('whose it was is told by its story', () => {
    const usersAt = (time: string, events: typeof story) =>
      holdersAt(new Date(`2026-11-27T${time}:00Z`), events).map(({ user }) => user);
    const holders = ['19:00', '20:00', '22:00'].map((time) => usersAt(time, story));
    expect(holders).toEqual([[], ['ana'], ['leo']]);
    const nameless = [event('transferred', '20:00:00', { fromUserId: 'ana', toUserId: null })];
    expect(usersAt('20:00', nameless)).toEqual([erased]);
  });
});

test('a cell that a spreadsheet program would run is text', async () => {
  const text = await csvOf([['=1+1', '@SUM(A1)', 'plain', 'a "b", c', -5]]).text();
  expect(text).toBe('\uFEFF\'=1+1,\'@SUM(A1),plain,"a ""b"", c",-5\r\n'.replace('\uFEFF', ''));
});

test('cells are parted as spreadsheet programs in the language in use part them', async () => {
  language.value = 'es';
  const text = await csvOf([['a;b', 'c,d', 1]]).text();
  language.value = 'en';
  expect(text).toBe('"a;b";"c,d";1\r\n');
});

function leaves(texts: object, path = ''): [string, string][] {
  return Object.entries(texts).flatMap(([name, value]) =>
    typeof value === 'string'
      ? [[`${path}.${name}`, value] as [string, string]]
      : typeof value === 'object'
        ? leaves(value, `${path}.${name}`)
        : [],
  );
}
