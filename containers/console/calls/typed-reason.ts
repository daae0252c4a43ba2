/** A reason as a request brings it, which has none where nothing was typed. */
export function reasonOf(typed: string): { reason?: string } {
  return typed.trim() === '' ? {} : { reason: typed.trim() };
}
