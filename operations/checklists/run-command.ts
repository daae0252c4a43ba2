import { BadInput } from '../cost/bad-input.ts';
import { AwsRefusal } from './ask-aws.ts';

/**
 * Runs a checklist as a program.
 * @param run says whether all was yes
 * @returns the exit status: 0 all yes, 1 a no, 2 wrong use. Wrong use, and what AWS does not let one ask, is said in
 *   one line on
 * the standard error.
 */
export async function runCommand(run: () => Promise<boolean>): Promise<number> {
  try {
    return (await run()) ? 0 : 1;
  } catch (error) {
    if (!(error instanceof BadInput) && !(error instanceof AwsRefusal)) throw error;
    console.error(error.message);
    return error instanceof BadInput ? 2 : 1;
  }
}
