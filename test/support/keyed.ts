import type { Caller } from '../../core/caller.ts';
import { type KeyedRequest, keyedRequest } from '../../core/idempotency/key-hash.ts';
import { admin } from './open-test-core.ts';

/** A request by its key, as the API names it: its path without the base, and its body; an upload's has none. */
export function keyed(key: string, path: string, body?: object, caller: Caller = admin): KeyedRequest {
  return keyedRequest(caller, key, path, body);
}
