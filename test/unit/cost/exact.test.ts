import { describe, expect, test } from '@jest/globals';
import {
  add,
  ceiling,
  centsOf,
  centsText,
  compare,
  decimalText,
  divide,
  dollars,
  exact,
  multiply,
  nothing,
  subtract,
} from '../../../operations/cost/exact.ts';

describe('an exact number', () => {
  test('drifts by nothing: ten times a tenth is one, and a third times three is one', () => {
    expect(compare(add(...Array.from({ length: 10 }, () => exact('0.1'))), exact(1))).toBe(0);
    expect(compare(multiply(divide(exact(1), exact(3)), exact(3)), exact(1))).toBe(0);
    // What floats make of it.
    expect(0.1 + 0.2).not.toBe(0.3);
    expect(compare(add(exact('0.1'), exact('0.2')), exact('0.3'))).toBe(0);
  });

  test('is rounded to cents once, half a cent away from zero', () => {
    expect(centsOf(exact('0.005'))).toBe(1n);
    expect(centsOf(exact('0.0049999'))).toBe(0n);
    expect(centsOf(exact('-0.005'))).toBe(-1n);
    expect(centsOf(exact('36.045'))).toBe(3605n);
    expect(centsOf(multiply(exact('0.04048'), exact(730)))).toBe(2955n);
  });

  test('is rounded up where a part of a task is a task', () => {
    expect(ceiling(exact('2.0001'))).toBe(3n);
    expect(ceiling(exact(2))).toBe(2n);
    expect(ceiling(nothing)).toBe(0n);
  });

  test('is shown to people with its thousands', () => {
    expect(dollars(123_456_789n)).toBe('$1,234,567.89');
    expect(dollars(-5n)).toBe('-$0.05');
    expect(centsText(-123_456n)).toBe('-1234.56');
    expect(decimalText(divide(exact(730), exact(24)), 3)).toBe('30.417');
    expect(decimalText(subtract(exact(0), exact(1_460)), 2)).toBe('-1,460');
  });

  test.each(['', '1e3', '0.1.2', '.5', '1,000', 'NaN', '1234567890123456'])('is not %j', (text) => {
    expect(() => exact(text)).toThrow('is not a decimal');
  });

  test('is neither a float nor anything divided by zero', () => {
    expect(() => exact(0.1)).toThrow('is not a whole number');
    expect(() => divide(exact(1), nothing)).toThrow('zero');
  });
});
