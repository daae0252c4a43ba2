import { messages } from '../messages/messages.ts';

/**
 * Who did something, by name where one is known: the API names a key by its id.
 * @param keys the names of API keys, by id, as far as whoever looks may see them
 */
export function actorName(actor: string, keys: ReadonlyMap<string, string>): string {
  const colon = actor.indexOf(':');
  if (colon === -1) return actor;
  const kind = actor.slice(0, colon);
  const id = actor.slice(colon + 1);
  if (kind === 'person') return id;
  return kind === 'key' ? (keys.get(id) ?? messages().code.aKey(id.slice(0, 8))) : actor;
}
