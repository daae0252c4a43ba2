import { describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { together } from '../../core/db/together.ts';

function databaseError(code: string): pg.DatabaseError {
  const error = new pg.DatabaseError(`injected ${code}`, 0, 'error');
  error.code = code;
  return error;
}

describe('answers to statements that were sent together', () => {
  test('come in the order of their statements', async () => {
    const late = new Promise<string>((resolve) => setTimeout(resolve, 5, 'late'));
    expect(await together([late, Promise.resolve(2), 'as it is'])).toEqual(['late', 2, 'as it is']);
  });

  test('of which one failed, are that failure, and not the refusals of those behind it', async () => {
    const refusal = databaseError('25P02');
    const cause = databaseError('40P01');
    await expect(together([Promise.resolve(), Promise.reject(cause), Promise.reject(refusal)])).rejects.toBe(cause);
    // One that was sent in answer to an earlier one may be refused although its place in the list is before the cause.
    await expect(together([Promise.reject(refusal), Promise.reject(cause)])).rejects.toBe(cause);
    await expect(together([Promise.reject(refusal)])).rejects.toBe(refusal);
  });

  test('are waited for, all of them, before the failure is thrown', async () => {
    let ended = false;
    const slow = new Promise<void>((resolve) => {
      setTimeout(() => {
        ended = true;
        resolve();
      }, 20);
    });
    await expect(together([Promise.reject(new Error('first')), slow])).rejects.toThrow('first');
    expect(ended).toBe(true);
  });
});
