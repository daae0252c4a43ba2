import { expect, test } from '@jest/globals';
import { formatForPeople } from '../../containers/local/format-for-people.ts';

const line = (fields: object) =>
  `${JSON.stringify({ level: 'warn', time: '2026-11-27T12:00:05.250Z', service: 'qurable-api', ...fields })}\n`;

test('a line has its time of day, its level, what happened, and its fields', () => {
  const shown = formatForPeople(
    line({ status: 409, kind: 'code-locked', note: 'two words', none: null, msg: 'request' }),
  );
  expect(shown).toMatch(/^\d\d:\d\d:05 warn {2}request status=409 kind=code-locked note="two words" none=null\n$/);
});

test('a stack stands below its line, as a stack does', () => {
  const error = { name: 'TypeError', stack: 'TypeError: x\n    at y' };
  const [first, ...trace] = formatForPeople(line({ error, msg: 'internal' })).split('\n');
  expect(first).toMatch(/ warn {2}internal error={"name":"TypeError"}$/);
  expect(trace).toEqual(['    TypeError: x', '        at y', '']);
});

test('what is no line of the log is shown as it is', () => {
  expect(formatForPeople('{"cut off\n')).toBe('{"cut off\n');
});
