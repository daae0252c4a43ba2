import type { CheckedApi } from '../checklists/call-api.ts';
import { type Check, type Finding, no, ok } from '../checklists/check.ts';
import { lookPatiently, type Time } from '../checklists/time.ts';

/**
 * Whether an API lives, can take requests, says which contract it speaks, and lets nobody in without a key.
 * @param patienceMillis how long a new name or a rolling task is waited for, for each
 */
export function serviceChecks(api: CheckedApi, time: Time, patienceMillis: number): Check[] {
  const expect = (path: string, status: number, text: string) => () =>
    lookPatiently(time, patienceMillis, () => answers(api, path, status, text));
  return [
    { name: 'health', look: expect('/health', 200, 'the process lives') },
    { name: 'ready', look: expect('/ready', 200, 'database and schema are there') },
    { name: 'locked door', look: expect('/v1/books', 401, 'nobody comes in without a key') },
    { name: 'contract', look: () => tellContract(api) },
  ];
}

async function answers(api: CheckedApi, path: string, wanted: number, text: string): Promise<Finding> {
  try {
    const { status, json } = await api.ask('GET', path, { isAnonymous: true });
    if (status === wanted) return ok(text);
    const kind = typeof json.kind === 'string' ? ` ${json.kind}` : '';
    return no(`${path} answers ${status}${kind}, not ${wanted}: ${ways[path]}`);
  } catch (error) {
    return no((error as Error).message);
  }
}

const ways: Record<string, string> = {
  '/health': 'is that the API’s address?',
  '/ready': 'see its log for the database, and whether migrate has run',
  '/v1/books': 'is that the API’s address? If so, take it off the network',
};

async function tellContract(api: CheckedApi): Promise<Finding> {
  const { status, json } = await api.ask('GET', '/openapi.json', { isAnonymous: true });
  const { version } = (json.info ?? {}) as { version?: unknown };
  if (status !== 200 || typeof version !== 'string') return no(`/openapi.json answers ${status} without a version`);
  return ok(`version ${version} of the HTTP contract`);
}
