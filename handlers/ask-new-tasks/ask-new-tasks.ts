import { request as requestPlain } from 'node:http';
import { request as requestSecure } from 'node:https';
import type { Log } from '../../core/index.ts';

/** What ECS takes for an answer: go on, or take the deployment back. */
export interface HookAnswer {
  hookStatus: 'SUCCEEDED' | 'FAILED';
}

/** How and how often the new tasks are asked. */
export interface AskOptions {
  /** Of the load balancer, as clients have it, without a path. */
  address: string;
  /** How often each question is put: the load balancer spreads them over the tasks. */
  rounds: number;
  log: Log;
}

/** Requests with this header are led to the new tasks (resources/deployment-shifted.yml). */
export const headerOfNewTasks = { 'x-qurable-tasks': 'new' };

/** It reads nothing of anybody: the last one is answered by the tasks' own check of keys. */
const questions = [
  { path: '/health', status: 200 },
  { path: '/ready', status: 200 },
  { path: '/v1/books', status: 401 },
] as const;

const answerMillis = 5_000;

/**
 * Asks the new tasks of a deployment whether they are ready to serve, before any client is sent to them. One wrong
 * answer is a no: a version that answers wrongly now would do so to clients.
 */
export async function askNewTasks({ address, rounds, log }: AskOptions): Promise<HookAnswer> {
  for (let round = 1; round <= rounds; round += 1) {
    for (const { path, status } of questions) {
      const answered = await ask(new URL(path, address));
      if (answered === status) continue;
      log.error({ path, round, wanted: status, answered }, 'the new tasks do not answer as they should');
      return { hookStatus: 'FAILED' };
    }
  }
  log.info({ rounds }, 'the new tasks answer as they should');
  return { hookStatus: 'SUCCEEDED' };
}

/** The status of the answer, or why there is none. A connection of its own each time, so that none sticks to a task. */
function ask(url: URL): Promise<number | string> {
  const request = url.protocol === 'https:' ? requestSecure : requestPlain;
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(answerMillis);
    const asked = request(url, { agent: false, headers: headerOfNewTasks, signal }, (answer) => {
      answer.resume();
      answer.once('end', () => resolve(answer.statusCode ?? 0));
      answer.once('error', () => resolve('the answer broke off'));
    });
    asked.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.name));
    asked.end();
  });
}
