import { describe, expect, test } from '@jest/globals';
import Ajv from 'ajv';
import fc from 'fast-check';
import { Type } from 'typebox';
import * as door from '../../core/index.ts';
import { checkInput, describeProblems, strictObject } from '../../core/index.ts';
import { limits } from '../../core/limits.ts';

/** Every declaration of an input that the core gives to the edge. */
const inputs = Object.entries(door).filter(([name]) => /^[A-Z].*(Input|Patch|Request)$/.test(name)) as [
  string,
  Type.TObject,
][];

/** Ajv as the edge has it: see containers/api/app.ts. */
const ajv = new Ajv.default({ allErrors: true, allowUnionTypes: true, verbose: true });

function problemsOf(shape: Type.TObject, value: unknown) {
  try {
    checkInput(shape, value);
    return [];
  } catch (error) {
    if (error instanceof door.CouponError) return error.refusal.errors ?? [];
    throw error;
  }
}

/** Values that are near enough to any field's to pass it now and then. */
const anyValue = fc.oneof(
  fc.constantFrom(null, true, false, 0, 1, -1, 1.5, 300, 86_401, 1e13, '', ' ', 'a', 'draft', 'closed', 'operator'),
  fc.constantFrom('12345', 'x'.repeat(128), 'x'.repeat(129), '🎟'.repeat(128), '🎟'.repeat(2_001), 'e\u0301'.repeat(65)),
  fc.constantFrom(door.exampleId, door.exampleId.toUpperCase(), `urn:uuid:${door.exampleId}`, '2026-11-27T00:00:00Z'),
  fc.constantFrom([], ['u-1'], ['u-1', ''], {}, { a: { b: [1] } }),
  fc.string(),
);

describe('an input', () => {
  test('is declared for every operation that takes one', () => {
    expect(inputs.map(([name]) => name).sort()).toEqual([
      'ApiKeyInput',
      'AssignBatchInput',
      'AssignCodeInput',
      'AssignInput',
      'BookInput',
      'BookListRequest',
      'BookPatch',
      'CodeListRequest',
      'GenerateInput',
      'JobRequest',
      'LockInput',
      'PageRequest',
      'ReasonInput',
      'RedeemInput',
      'RedemptionListRequest',
      'ReplayInput',
      'ReportRequest',
      'TenantInput',
      'TransferInput',
      'UnlockInput',
      'UserCouponsRequest',
      'ValidateInput',
      'VoidDeckInput',
      'WebhookInput',
      'WebhookPatch',
    ]);
  });

  test.each(inputs)('%s is the same to the core’s check as to Ajv, in the same words', (_name, shape) => {
    const validate = ajv.compile(shape);
    const names = [...Object.keys(shape.properties), 'unknown', '__proto__', 'constructor'];
    const right = Object.entries((shape as { examples?: object[] }).examples?.[0] ?? {});
    const field = fc.tuple(fc.constantFrom(...names), anyValue);
    const body = fc.oneof({ weight: 20, arbitrary: fc.array(field, { maxLength: 4 }) }, anyValue);
    let accepted = 0;
    fc.assert(
      fc.property(body, (fields) => {
        const isFields = Array.isArray(fields) && fields.every((pair) => Array.isArray(pair));
        // As JSON.parse makes it: a field called __proto__ is one like any other, and of two alike the last one counts.
        const value: unknown = isFields ? JSON.parse(textOf([...right, ...(fields as [string, unknown][])])) : fields;
        const told = validate(value)
          ? []
          : describeProblems((validate.errors ?? []) as Parameters<typeof describeProblems>[0], true);
        if (told.length === 0) accepted += 1;
        const byPath = (a: { path: string }, b: { path: string }) => (a.path < b.path ? -1 : 1);
        expect(problemsOf(shape, value).toSorted(byPath)).toEqual(told.toSorted(byPath));
      }),
      { numRuns: 400 },
    );
    expect(accepted).toBeGreaterThan(0);
  });

  test('of which every field is wrong has every field named', () => {
    const fields = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`f${index}`, Type.Integer()]));
    const wrong = Object.fromEntries(Object.keys(fields).flatMap((name) => [[name, 'x'] as const, [`${name}x`, 1]]));
    expect(problemsOf(strictObject(fields), wrong)).toHaveLength(50);
    const twenty = Object.fromEntries(Object.entries(wrong).slice(0, 20));
    expect(problemsOf(strictObject(fields), twenty)).toHaveLength(40);
  });

  test.each([
    ['a NUL', { userId: 'u\0' }, '/userId'],
    ['half of a surrogate pair', { userId: '\ud800' }, '/userId'],
    ['a NUL deep in its metadata', { userId: 'u', metadata: { a: [{ b: '\0' }] } }, '/metadata'],
    ['a NUL in a name of its metadata', { userId: 'u', metadata: { 'a\0': 1 } }, '/metadata'],
  ])('with %s is refused, which PostgreSQL can’t hold', (_what, input, path) => {
    expect(problemsOf(door.RedeemInput, input)).toMatchObject([{ path }]);
  });

  test('with metadata of 10,000 levels is refused without overflowing the stack', () => {
    let metadata: object = {};
    for (let level = 1; level < 10_000; level += 1) metadata = { a: metadata };
    expect(problemsOf(door.RedeemInput, { userId: 'u', metadata })).toMatchObject([{ path: '/metadata' }]);
    let allowed: object = {};
    for (let level = 1; level < limits.jsonMaxDepth; level += 1) allowed = { a: allowed };
    expect(problemsOf(door.RedeemInput, { userId: 'u', metadata: allowed })).toEqual([]);
  });

  test('of parameters is named as parameters are', () => {
    const check = () => checkInput(door.BookListRequest, { limit: 0, offset: 1 }, 'parameters');
    const paths = ['limit', 'offset'].map((path) => expect.objectContaining({ path }));
    expect(check).toThrow(
      expect.objectContaining({ refusal: expect.objectContaining({ errors: expect.arrayContaining(paths) }) }),
    );
  });

  test('that is right is given back as it is', () => {
    const input = { userId: 'u-1', metadata: { a: 1 } };
    expect(checkInput(door.RedeemInput, input)).toBe(input);
  });
});

function textOf(fields: [string, unknown][]): string {
  return `{${fields.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}
