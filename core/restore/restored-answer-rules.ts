import type { RestoredAnswers } from './ask-restored.ts';

/** How far the newest moment that can be restored may lie behind, in milliseconds: three times what RDS says. */
export const rpoMaxMillis = 15 * 60_000;

/**
 * What speaks against a restored database, one sentence each; none where it could be served from.
 * @param restoredTo the moment that was restored, in milliseconds since the Unix epoch
 * @param rpoMillis how far that lay behind when the restore began
 */
export function reasonsAgainst(answers: RestoredAnswers, restoredTo: number, rpoMillis: number): string[] {
  const { schemaVersion, neededSchemaVersion, marks, invariants } = answers;
  const reasons: string[] = [];
  if (schemaVersion < neededSchemaVersion)
    reasons.push(`the schema is of version ${schemaVersion}, and ${neededSchemaVersion} is needed`);
  if (rpoMillis > rpoMaxMillis)
    reasons.push(`the newest moment that can be restored lay ${Math.round(rpoMillis / 60_000)} minutes behind`);
  for (const { name, rows } of invariants.broken) reasons.push(`broken by ${rows} rows: ${name}`);
  for (const name of invariants.unanswered) reasons.push(`no answer in time: ${name}`);
  if (invariants.next !== null) reasons.push('not everything was asked');
  return [...reasons, ...reasonsOfMarks(marks, restoredTo)];
}

function reasonsOfMarks({ lines, from, to, beyond }: RestoredAnswers['marks'], restoredTo: number): string[] {
  if (lines === 0) return ['the log has no deck marks of the time'];
  const isOutside = (time: string | null, sign: 1 | -1) => time !== null && (Date.parse(time) - restoredTo) * sign > 0;
  return [
    ...(isOutside(from, 1) || isOutside(to, -1)
      ? [`the deck marks reach from ${from} to ${to}, and the moment is ${new Date(restoredTo).toISOString()}`]
      : []),
    ...(beyond > 0 ? [`${beyond} decks or patterns are further than their last mark: codes would be dealt twice`] : []),
  ];
}
