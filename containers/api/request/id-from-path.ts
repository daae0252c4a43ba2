import { isUuid, type PlainKind, refuse } from '../../../core/index.ts';

/** An id out of a path. A text that is no UUID names nothing, which is what the client is told. */
export function idFromPath(text: string, kind: PlainKind): string {
  if (isUuid(text)) return text.toLowerCase();
  throw refuse(kind, 'There is nothing with this id; ids are UUIDs.');
}
