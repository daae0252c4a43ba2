/**
 * An error that stops the embedded start and that a person can mend. Its message is one line and is shown as it is. Any
 * other error is a defect and is shown with its stack.
 */
export class EmbeddedStartError extends Error {
  override name = 'EmbeddedStartError';
}
