import { describe, expect, test } from '@jest/globals';
import { BoundedMap } from '../../core/bounded-map.ts';

function filled(...keys: string[]): BoundedMap<string, number> {
  const map = new BoundedMap<string, number>(3);
  for (const [index, key] of keys.entries()) map.set(key, index);
  return map;
}

describe('a bounded map', () => {
  test('forgets what was written longest ago, and never holds more than its bound', () => {
    const map = filled('a', 'b', 'c', 'd', 'e');
    expect([map.size, map.get('a'), map.get('b'), map.get('c'), map.get('e')]).toEqual([3, undefined, undefined, 2, 4]);
  });

  test('writing an entry anew makes it the newest, and pushes no other out', () => {
    const map = filled('a', 'b', 'c', 'a', 'd');
    expect([map.has('a'), map.get('a'), map.has('b'), map.has('c'), map.has('d')]).toEqual([
      true,
      3,
      false,
      true,
      true,
    ]);
  });

  test('reading an entry does not keep it', () => {
    const map = filled('a', 'b', 'c');
    map.get('a');
    map.set('d', 3);
    expect(map.has('a')).toBe(false);
  });

  test('what was deleted leaves its place', () => {
    const map = filled('a', 'b', 'c');
    map.delete('b');
    map.set('d', 3);
    expect([map.size, map.has('a'), map.has('b')]).toEqual([3, true, false]);
  });
});
