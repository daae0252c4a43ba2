import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { withoutDocstring } from '../measure/docstrings.ts';
import { functionsOf } from '../measure/functions.ts';
import { lineWidth, wideComments } from '../measure/wide-comments.ts';
import { fileGraph, findCircles, grouped, reachable, roomOf } from '../support/import-graph.ts';
import { readSources, type Source } from '../support/read-sources.ts';

const files = {
  'core/index.ts': `export { eat } from './meals/eat.ts';\n`,
  'core/meals/eat.ts': `// Grüße: what stands here has more bytes than characters.
import type { Plate } from '../plates/plate.ts';
import { wash } from '../plates/wash.ts';

/** Eats. */
export function eat(plate: Plate): void {
  wash(plate);
}
`,
  'core/plates/plate.ts': `export interface Plate {
  dirty: boolean;
}

/** How many there are. */
export const count = () => 3;
export type count = 3;
`,
  'core/plates/wash.ts': `import type { eat } from '../meals/eat.ts';
const later = () => import('./plate.ts');
export const wash = async (plate: unknown): Promise<typeof eat> => {
  await later();
  return plate as typeof eat;
};
`,
};

describe('the measures of the house', () => {
  let root: string;
  let sources: Source[];
  beforeAll(() => {
    root = mkdtempSync(join(tmpdir(), 'qurable-house-'));
    for (const [path, text] of Object.entries(files)) {
      mkdirSync(join(root, dirname(path)), { recursive: true });
      writeFileSync(join(root, path), text);
    }
    sources = readSources(root, ['core']);
  });
  afterAll(() => rmSync(root, { recursive: true, force: true }));

  test('count a circle that types alone close, among files and among folders', () => {
    expect(findCircles(fileGraph(sources, 'values'))).toEqual([]);
    expect(findCircles(fileGraph(sources, 'all'))).toEqual([['core/meals/eat.ts', 'core/plates/wash.ts']]);
    expect(findCircles(grouped(fileGraph(sources, 'all'), roomOf))).toEqual([['core/meals', 'core/plates']]);
  });

  test('follow what is exported anew and what is imported only when it runs', () => {
    expect([...reachable(fileGraph(sources, 'values'), 'core/index.ts')].sort()).toEqual(Object.keys(files));
  });

  test('know a function’s name, first line and length', () => {
    expect(sources.flatMap(functionsOf)).toEqual([
      { place: 'core/meals/eat.ts:6 eat', lines: 3 },
      { place: 'core/plates/plate.ts:6 count', lines: 1 },
      { place: 'core/plates/wash.ts:2 later', lines: 1 },
      { place: 'core/plates/wash.ts:3 wash', lines: 4 },
    ]);
  });

  test('find each exported declaration without a docstring', () => {
    expect(sources.flatMap(withoutDocstring)).toEqual(['core/plates/plate.ts:1 Plate', 'core/plates/wash.ts:3 wash']);
  });

  test('find each comment that is wider than a line, by characters and from the first column', () => {
    const text = [
      `/** ${'ü'.repeat(lineWidth - 4)}`,
      ` * ${'x'.repeat(lineWidth - 2)}`,
      `    // ${'x'.repeat(lineWidth - 6)}`,
      `const text = '${'x'.repeat(lineWidth)}';`,
      `  *${'x'.repeat(lineWidth)}`,
    ].join('\n');
    expect(wideComments({ path: 'core/wide.ts', text })).toEqual(['core/wide.ts:2 121', 'core/wide.ts:3 121']);
  });
});
