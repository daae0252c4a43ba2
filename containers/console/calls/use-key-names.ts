import { isAdmin } from './session.ts';
import type { ApiKey, Page } from './types.ts';
import { useLoad } from './use-load.ts';

/**
 * The names of API keys by their ids, for those who may see them.
 * @param isWanted whether anything names a key; else they are not read
 */
export function useKeyNames(isWanted: boolean): ReadonlyMap<string, string> {
  const keys = useLoad<Page<ApiKey>>(isAdmin() && isWanted ? '/v1/api-keys?limit=200' : null);
  return new Map(keys.data?.data.map(({ id, name }) => [id, name]));
}
