import { call } from './call.ts';
import type { Problem } from './problem.ts';

/**
 * Has the browser save what an address answers, straight to its disk: nothing of it is in the page's memory, however
 * large it is, and the browser's own list of downloads says how far it is and stops it. Somebody whose session has
 * ended signs in first, since a refusal would be saved in the place of the file.
 * @returns why it could not begin; null where it has begun
 */
export async function saveFrom(path: string): Promise<Problem | null> {
  const known = await call<unknown>('GET', '/console/session');
  if (!known.ok) return known.problem;
  const link = document.createElement('a');
  link.href = path;
  link.download = '';
  link.click();
  return null;
}
