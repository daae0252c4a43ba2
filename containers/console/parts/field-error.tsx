import type { FieldFault } from '../calls/problem.ts';
import { messages } from '../messages/messages.ts';
import { faultWords } from './fault-words.ts';

/** What is wrong with a field: found by the console, in the language in use, or by the server. */
export type Wrong = string | FieldFault;

/**
 * What is wrong with a field. Of what the server found, the console says what the field takes, and then what is wrong
 * with it: in the server's own words only where it knows none, which are English and are marked so for whoever hears
 * them.
 */
export function FieldError({ id, error }: { id?: string; error: Wrong }) {
  return (
    <p class="field-error" id={id}>
      {typeof error === 'string' ? error : <ServerFault fault={error} />}
    </p>
  );
}

/** What the server says, below the console's own words. */
export function ServerWords({ text }: { text: string }) {
  if (text === '') return null;
  return (
    <bdi class="server-words" lang="en">
      {text}
    </bdi>
  );
}

function ServerFault({ fault: { field, message } }: { fault: FieldFault }) {
  return (
    <>
      {messages().problems.fields[field]} {faultWords(message) ?? <ServerWords text={message} />}
    </>
  );
}
