/**
 * A UUID as text, for JSON Schema: hexadecimal digits in either case, without the `urn:uuid:` that some validators
 * allow.
 */
export const uuidPattern = '^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$';

const shape = new RegExp(uuidPattern);

/** Whether a text is a UUID, which public ids are. Any other text is the id of nothing. */
export function isUuid(text: string): boolean {
  return shape.test(text);
}
