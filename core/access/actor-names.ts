import type { Queryable } from '../db/pool.ts';

const keyActor = /^key:(\d{1,10})$/;

/**
 * The names under which callers may see the actors of a tenant's events, by stored actor: a key's short internal id
 * becomes its public one, `key:<UUID>`; every other actor is its own name. One query, none where no key is among them.
 * @param actors as events store them, with or without repeats
 */
export async function actorNames(
  db: Queryable,
  tenantId: number,
  actors: readonly string[],
): Promise<Map<string, string>> {
  const names = new Map(actors.map((actor) => [actor, actor]));
  const keyIds = [...names.keys()].flatMap((actor) => keyActor.exec(actor)?.[1] ?? []);
  if (keyIds.length === 0) return names;
  const answer = await db.query<{ keyId: number; id: string }>({
    name: 'actor-names',
    text: 'select key_id as "keyId", id from api_keys where tenant_id = $1 and key_id = any($2::bigint[])',
    values: [tenantId, keyIds],
  });
  for (const { keyId, id } of answer.rows) names.set(`key:${keyId}`, `key:${id}`);
  return names;
}
