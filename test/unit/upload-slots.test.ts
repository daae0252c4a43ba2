import { Readable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { UploadPace } from '../../containers/api/body/upload-pace.ts';
import { pieceMaxBytes, readAhead, readBody } from '../../core/uploads/read-body.ts';
import { UploadSlots } from '../../core/uploads/slots.ts';

describe('the turns of uploads', () => {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });

  /** Takes a turn and notes the name when it comes. */
  function take(slots: UploadSlots, tenantId: number, name: string, started: string[]) {
    return slots.take(tenantId).then((giveBack) => {
      started.push(name);
      return giveBack;
    });
  }
  const settled = () => jest.advanceTimersByTimeAsync(0);

  test('a tenant has one at a time, and its second upload keeps no other tenant waiting', async () => {
    const slots = new UploadSlots({ slots: 2, waitMaxMillis: 30_000 });
    const started: string[] = [];
    const first = take(slots, 1, 'a1', started);
    const second = take(slots, 1, 'a2', started);
    take(slots, 2, 'b1', started);
    await settled();
    expect(started).toEqual(['a1', 'b1']);
    (await first)();
    await settled();
    expect(started).toEqual(['a1', 'b1', 'a2']);
    (await second)();
  });

  test('they come in the order of arrival, to tenants that have none', async () => {
    const slots = new UploadSlots({ slots: 1, waitMaxMillis: 30_000 });
    const started: string[] = [];
    const turns = [take(slots, 1, 'a', started), take(slots, 2, 'b', started), take(slots, 3, 'c', started)];
    for (const turn of turns) {
      (await turn)();
      await settled();
    }
    expect(started).toEqual(['a', 'b', 'c']);
    (await slots.take(1))();
  });

  test('who waits too long is told to come again, and the next turn goes to another', async () => {
    const slots = new UploadSlots({ slots: 1, waitMaxMillis: 30_000 });
    const giveBack = await slots.take(1);
    const late = expect(slots.take(1)).rejects.toMatchObject({
      kind: 'unavailable',
      refusal: { retryAfterSeconds: 10 },
    });
    await jest.advanceTimersByTimeAsync(30_000);
    await late;
    giveBack();
    (await slots.take(2))();
  });
});

describe('an upload’s pace', () => {
  /** Milliseconds until it is cut, looked at every five seconds, or null within an hour. */
  function cutAfter(bytesPerCheck: (check: number) => number, isWaitedFor = true): number | null {
    const pace = new UploadPace();
    for (let check = 1; check <= 720; check += 1) {
      if (pace.isTooSlow(bytesPerCheck(check), 5_000, isWaitedFor)) return check * 5_000;
    }
    return null;
  }

  test('one that sends nothing is cut after a minute, and a trickle soon after', () => {
    expect(cutAfter(() => 0)).toBe(60_000);
    expect(cutAfter(() => 1)).toBe(65_000);
    expect(cutAfter(() => 2_000)).toBeLessThanOrEqual(120_000);
  });

  test('one that sends at its pace goes on, and what it sent at first buys it a minute and no more', () => {
    expect(cutAfter(() => 6_000)).toBe(null);
    expect(cutAfter((check) => (check === 1 ? 10_000_000 : 1))).toBe(70_000);
  });

  test('the time in which we are slow does not count', () => {
    expect(cutAfter(() => 0, false)).toBe(null);
  });
});

test('a body is waited for until there is enough of it, and then comes whole', async () => {
  const sent: string[] = [];
  const source = Readable.from(
    (function* () {
      for (const name of ['a', 'b', 'c', 'd']) {
        sent.push(name);
        yield Buffer.alloc(pieceMaxBytes / 2, name);
      }
    })(),
    { highWaterMark: 0 },
  );
  const pieces = await readAhead(readBody(source), pieceMaxBytes);
  expect(sent.slice(0, 2)).toEqual(['a', 'b']);
  const text: string[] = [];
  for await (const piece of pieces) text.push(Buffer.from(piece).toString('latin1', 0, 1));
  expect(text).toEqual(['a', 'b', 'c', 'd']);
  expect(await (await readAhead(readBody(Readable.from([])), 10))[Symbol.asyncIterator]().next()).toMatchObject({
    done: true,
  });
});
