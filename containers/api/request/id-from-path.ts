import { type PlainKind, refuse } from '../../../core/index.ts';

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** An id out of a path. A text that is no UUID names nothing, which is what the client is told. */
export function idFromPath(text: string, kind: PlainKind): string {
  if (uuid.test(text)) return text.toLowerCase();
  throw refuse(kind, 'There is nothing with this id; ids are UUIDs.');
}
