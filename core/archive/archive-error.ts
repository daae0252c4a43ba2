/** What an operator can mend. Its message is one line that says what is wrong and what to do. */
export class ArchiveError extends Error {
  override name = 'ArchiveError';
}
