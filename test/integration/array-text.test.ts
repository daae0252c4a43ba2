import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { Client } from 'pg';
import { plainArray, textArray, timeArray, uuidArray } from '../../core/db/array-text.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

describe('arrays written as text', () => {
  let database: TestDatabase;
  let client: Client;

  beforeAll(async () => {
    database = await createTestDatabase('array text');
    client = new Client({ connectionString: database.url });
    await client.connect();
  });
  afterAll(async () => {
    await client.end();
    await database.drop();
  });

  /** What PostgreSQL makes of the text, as JSON. */
  async function readBack(text: string, type: string): Promise<unknown> {
    const { rows } = await client.query<{ read: unknown }>(`select to_json($1::${type}[]) as read`, [text]);
    return rows[0]!.read;
  }

  test('texts of every kind come back as they were', async () => {
    const texts = [
      '',
      ' ',
      'NULL',
      'null',
      '{}',
      '{a,b}',
      'a,b',
      '"',
      '\\',
      '\\"',
      "'",
      '\n\t\r',
      'ñ漢😀',
      'a"b\\c,d{e}',
      null,
    ];
    expect(await readBack(textArray(texts), 'text')).toEqual(texts);
    expect(await readBack(textArray([]), 'text')).toEqual([]);
  });

  test('documents come back as they were', async () => {
    const documents = [{ a: 'b"\\,{}' }, { deep: [1, null, { x: 'ü' }] }, null];
    const texts = documents.map((document) => (document === null ? null : JSON.stringify(document)));
    expect(await readBack(textArray(texts), 'jsonb')).toEqual(documents);
  });

  test('numbers, booleans, moments and UUIDs come back as they were', async () => {
    expect(await readBack(plainArray([0, -1, 9007199254740991, null]), 'bigint')).toEqual([
      0,
      -1,
      9007199254740991,
      null,
    ]);
    expect(await readBack(plainArray([true, false, null]), 'boolean')).toEqual([true, false, null]);
    const id = '01a20bc0-a1c5-7e15-b0b4-327de26254d1';
    expect(await readBack(uuidArray([id, null]), 'uuid')).toEqual([id, null]);
    const at = new Date(1_790_000_000_123);
    const [read, none] = (await readBack(timeArray([at, null]), 'timestamptz')) as [string, null];
    expect([new Date(read).getTime(), none]).toEqual([at.getTime(), null]);
  });
});
