/** Whether an end has passed. @param endsAt null: it has none. @param now in milliseconds since 1970 */
export function isOver(endsAt: string | null, now: number): boolean {
  return endsAt !== null && Date.parse(endsAt) <= now;
}
