import { isUuid, type PlainKind, refuse } from '../../../core/index.ts';

/**
 * An id out of a path, in lower case. A text that is no UUID names nothing, which is what the client is told.
 * @param kind of the refusal: that for a thing which is not there
 * @throws CouponError of that kind
 */
export function idFromPath(text: string, kind: PlainKind): string {
  if (isUuid(text)) return text.toLowerCase();
  throw refuse(kind, 'There is nothing with this id; ids are UUIDs.');
}
