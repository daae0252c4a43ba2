/** What the operator gave and can mend. Its message is one line that says what is wrong and how to mend it. */
export class BadInput extends Error {
  override name = 'BadInput';
}
