import { BadInput } from '../cost/bad-input.ts';
import { type Check, type Finding, no } from './check.ts';

const nameWidth = 12;

/**
 * Looks at one thing after the other and prints a line for each as soon as it is known.
 * @returns whether none was a no
 * @throws BadInput of a check, which ends the list: what follows could not be asked either
 */
export async function runChecks(checks: readonly Check[], print: (line: string) => void): Promise<boolean> {
  let isAllYes = true;
  for (const check of checks) {
    const finding = await look(check);
    print(lineOf(check.name, finding));
    isAllYes &&= finding.verdict !== 'no';
  }
  return isAllYes;
}

/** A line of a checklist, as `ok       ready        answers 200`. */
export function lineOf(name: string, { verdict, text }: Finding): string {
  return `${verdict.padEnd(7)}  ${name.padEnd(nameWidth)}  ${text.replaceAll(/\s+/g, ' ').trim()}`;
}

/** What can't be found out is not as it should be. */
async function look(check: Check): Promise<Finding> {
  try {
    return await check.look();
  } catch (error) {
    if (error instanceof BadInput) throw error;
    return no((error as Error).message);
  }
}
