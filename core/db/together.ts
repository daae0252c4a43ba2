import { isAfterFailure } from './sql-errors.ts';

/**
 * Waits for all answers to statements that were sent one behind the other, and throws the error that is the cause: once
 * a statement has failed, the server refuses all behind it, and those refusals say nothing. Unlike Promise.all it waits
 * for the others too, so that no statement is still running when the connection goes back to the pool.
 * @param answers in the order in which their statements were sent
 */
export async function together<T extends readonly unknown[]>(
  answers: [...T],
): Promise<{ -readonly [Index in keyof T]: Awaited<T[Index]> }> {
  const settled = await Promise.allSettled(answers);
  const failures = settled.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason as unknown] : []));
  if (failures.length > 0) throw failures.find((failure) => !isAfterFailure(failure)) ?? failures[0];
  return settled.map((answer) => (answer as PromiseFulfilledResult<unknown>).value) as {
    -readonly [Index in keyof T]: Awaited<T[Index]>;
  };
}
