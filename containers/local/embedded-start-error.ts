/**
 * Something that stops the embedded start and that a person can put right. Its message is one line, made to be shown
 * as it is; anything else that is thrown is a defect and keeps its stack.
 */
export class EmbeddedStartError extends Error {
  override name = 'EmbeddedStartError';
}
