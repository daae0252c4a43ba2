import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from '@jest/globals';

const root = fileURLToPath(new URL('../..', import.meta.url));
const files = globSync(['core/**/*.ts', 'containers/**/*.ts', 'handlers/**/*.ts'], { cwd: root }).sort();

/** A literal, where an expression may begin: not a division, and not a comment. */
const literal = /(?<=[=>(,:?&|![{]\s*|return\s+)\/(?![*/])((?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+)\/[dgimsuvy]*/g;
const schemaPattern = /\bpattern: '((?:\\.|[^'\\\n])+)'/g;

function expressionsOf(file: string): string[] {
  const text = readFileSync(`${root}/${file}`, 'utf8').replace(/^\s*(?:\/\/|\/?\*).*$/gm, '');
  return [literal, schemaPattern].flatMap((shape) => [...text.matchAll(shape)].map((match) => match[1]!));
}

/** Classes and escapes become single letters, so that what is left of an expression is how it repeats. */
const bare = (source: string) =>
  source.replaceAll(/\[(?:\\.|[^\]\\])*\]/g, 'c').replaceAll(/\\[pPu]\{[^}]*\}|\\./g, 'e');

/** The alternatives of an expression as a whole; those within groups stay together. */
function alternatives(source: string): string[] {
  const parts = [''];
  let depth = 0;
  for (const character of source) {
    if (character === '(') depth += 1;
    if (character === ')') depth -= 1;
    if (character === '|' && depth === 0) parts.push('');
    else parts[parts.length - 1] += character;
  }
  return parts;
}

/** Unanchored, a repetition is begun again at each place of a text that it goes through: time by the square of it. */
const restarts = (source: string) =>
  alternatives(bare(source)).some((part) => !part.startsWith('^') && /[*+]|\{\d+(?:,\d*)?\}/.test(part));
/** A repetition in a repetition may divide a text among the two in as many ways as there are subsets. */
const nests = (source: string) => /\((?:[^()]*[*+}])[^()]*\)(?:[*+]|\{)/.test(bare(source));
/** Two repetitions of the same thing in a row may share a text out in as many ways as it is long. */
const shares = (source: string) => /([.ce])[*+]\??\1[*+]/.test(bare(source));

/** Those that repeat unanchored or in a repetition, each with why it is linear. */
const linear: Record<string, string> = {
  '[a-z]+': 'replaces what it goes through, so that the next search begins behind it',
  '[\\s_-]+': 'replaces what it goes through, so that the next search begins behind it',
  '\\s+': 'replaces what it goes through, so that the next search begins behind it',
  '\\/*$': 'of a directory’s name in the configuration',
  'position (\\d+)': 'of the engine’s own message, which is short',
  '"(?:[^"\\\\]|\\\\.)*"|[{}[\\]]': 'of well-formed JSON, where every string ends; its alternatives begin differently',
  '^q=0(\\.0*)?$': 'nothing repeats around it',
  '^[a-z][a-z0-9]*(-[a-z0-9]+)*$': 'a repetition begins with a character that the one in it does not have',
  '(\\p{L})\\1{3}': 'looks at four characters from each',
  '[\\p{M}\\p{P}\\p{Z}\\p{S}\\p{C}]+': 'replaces what it goes through, so that the next search begins behind it',
  '-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----': 'of a setting of the operator’s own',
  '^(localhost|127(\\.\\d+){3}|\\[::1\\])$': 'each repetition ends at a dot, which a digit is not',
  '^(UTC|[A-Za-z]{1,20}(\\/[A-Za-z0-9_+-]{1,40}){1,2})$': 'each repetition has a bound',
  '-\\d{4}$': 'looks at five characters from each',
  '-(\\d{4})(\\d{2})(\\d{2})-[a-z0-9]+$': 'of a snapshot’s name, which is short',
  "^\\d{1,3}(?<mark>[.,'’\\s])\\d{3}(?:\\k<mark>\\d{3}){0,3}$": 'each repetition has a bound',
  '^[a-z]{2}(-[a-z]+){1,2}-[1-9]$': 'each repetition begins with a hyphen, which a letter is not',
  '<Code>(\\w+)<\\/Code>': 'a repetition ends at a bracket, before which none begins',
};

const found = files.flatMap((file) => expressionsOf(file).map((source): [string, string] => [file, source]));

test('every regular expression of the product takes time by the length of the text, and no more', () => {
  expect(found.length).toBeGreaterThan(40);
  const suspects = found.filter(([, source]) => restarts(source) || nests(source) || shares(source));
  expect(suspects.filter(([, source]) => linear[source] === undefined)).toEqual([]);
});

test('no expression that is excused has gone', () => {
  expect(Object.keys(linear).filter((source) => !found.some(([, other]) => other === source))).toEqual([]);
});

test('an expression that begins again at each character, or repeats a repetition, is told from the others', () => {
  expect(restarts('[eE]\\+?[0-9]{3}|[0-9]{309}')).toBe(true);
  expect(restarts('a|^b+')).toBe(false);
  expect(restarts('^a|b{2}')).toBe(true);
  expect(restarts('^(08|53)+$')).toBe(false);
  expect(nests('^([a-z]+)*$')).toBe(true);
  expect(nests('^(?:a|b{2})+$')).toBe(true);
  expect(shares('^\\d+\\d+$')).toBe(true);
  expect(shares('^.*.*x')).toBe(true);
});

/** Where an expression is put together at run time, and why that is safe. */
const builders: Record<string, string> = {
  'containers/api/answers/unknown-routes.ts': 'parts of paths that end at a slash, from the routes',
  'containers/api/rules/idempotency-keys.ts': 'one bounded class between two anchors',
  'core/access/tenant-document.ts': 'one class between two anchors, of a text whose length is looked at first',
  'core/codes/code-rules.ts': 'one bounded class between two anchors',
  'core/codes/csv-cell.ts': 'looks ahead for 128 characters at most, in a user id, which has no more',
  'core/uuid.ts': 'classes of a fixed length between two anchors',
};

test('expressions are put together at run time in few places only', () => {
  const building = files.filter((file) => readFileSync(`${root}/${file}`, 'utf8').includes('new RegExp('));
  expect(building).toEqual(Object.keys(builders));
});
