import type { Queryable } from '../db/pool.ts';

const keyActor = /^key:(\d{1,10})$/;
const personActor = /^person:(\d{1,10})$/;

/**
 * The names under which callers may see the actors of a tenant's events, by stored actor: a key's short internal id
 * becomes its public one, `key:<UUID>`, and a person's becomes the person's name, `person:<name>`; every other actor is
 * its own name. One query for keys and one for people, none where none is among them.
 * @param actors as events store them, with or without repeats
 */
export async function actorNames(
  db: Queryable,
  tenantId: number,
  actors: readonly string[],
): Promise<Map<string, string>> {
  const names = new Map(actors.map((actor) => [actor, actor]));
  const idsOf = (shape: RegExp) => [...names.keys()].flatMap((actor) => shape.exec(actor)?.[1] ?? []);
  const [keyIds, personIds] = [idsOf(keyActor), idsOf(personActor)];
  if (keyIds.length > 0) {
    const answer = await db.query<{ keyId: number; id: string }>({
      name: 'actor-names',
      text: 'select key_id as "keyId", id from api_keys where tenant_id = $1 and key_id = any($2::bigint[])',
      values: [tenantId, keyIds],
    });
    for (const { keyId, id } of answer.rows) names.set(`key:${keyId}`, `key:${id}`);
  }
  if (personIds.length > 0) {
    const answer = await db.query<{ personId: number; name: string }>({
      name: 'person-names',
      text: `select person_id as "personId", name from console_people
        where tenant_id = $1 and person_id = any($2::bigint[])`,
      values: [tenantId, personIds],
    });
    for (const { personId, name } of answer.rows) names.set(`person:${personId}`, `person:${name}`);
  }
  return names;
}
