import { once } from 'node:events';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from '@jest/globals';
import { type BackgroundTask, runTasks } from '../../core/background/run-tasks.ts';
import { systemRandom } from '../../core/random.ts';

const never = 3_600_000;

/** A log that keeps what it was told. */
function keepLog() {
  const warnings: object[] = [];
  const log = { info: () => {}, error: () => {}, warn: (fields: object) => warnings.push(fields) };
  return { warnings, parts: { log, random: systemRandom, clock: { now: () => 1_800_000_000_000 } } };
}

/** A task that does as it is told, piece by piece, and then rests for ever. */
function scripted(name: string, pieces: (() => Promise<'more' | 'rest'>)[]) {
  let ran = 0;
  const task: BackgroundTask = {
    name,
    restMillis: never,
    run: () => {
      ran += 1;
      return (pieces.shift() ?? (async () => 'rest'))();
    },
  };
  return { task, ran: () => ran };
}

test('a task runs again at once while there is more to do, then rests until it is woken', async () => {
  const { task, ran } = scripted('a', [async () => 'more', async () => 'more']);
  const running = runTasks([task], keepLog().parts);
  await turn();
  expect(ran()).toBe(3);
  running.wake('a');
  running.wake('somebody else');
  await turn();
  expect(ran()).toBe(4);
  await running.close();
  expect(ran()).toBe(4);
});

test('a task that fails or never ends delays no other, and a failure is logged', async () => {
  const { warnings, parts } = keepLog();
  const failing = scripted('failing', [() => Promise.reject(new Error('lost'))]);
  const stuck = scripted('stuck', [(): Promise<'rest'> => new Promise((resolve) => setTimeout(resolve, 50, 'rest'))]);
  const other = scripted('other', [async () => 'more']);
  const running = runTasks([failing.task, stuck.task, other.task], parts);
  await turn();
  expect([failing.ran(), stuck.ran(), other.ran()]).toEqual([1, 1, 2]);
  expect(warnings).toEqual([expect.objectContaining({ task: 'failing' })]);
  running.wake('failing');
  await turn();
  expect(failing.ran()).toBe(2);
  await running.close();
});

test('closing waits for the piece under way, which hears of it, and starts no other', async () => {
  let ended = false;
  let ran = 0;
  const running = runTasks(
    [
      {
        name: 'slow',
        restMillis: 0,
        async run(signal) {
          ran += 1;
          await once(signal, 'abort');
          await turn();
          ended = true;
          return 'more';
        },
      },
    ],
    keepLog().parts,
  );
  await running.close();
  expect([ended, ran]).toEqual([true, 1]);
  await running.close();
});
