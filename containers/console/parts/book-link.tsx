import { linkTo, part } from '../address/address.ts';
import { messages } from '../messages/messages.ts';

/** A book by its name, or without it where the name is not known yet. */
export function BookLink({ id, name }: { id: string; name: string | undefined }) {
  return (
    <a href={linkTo(`/books/${part(id)}`)} dir="auto">
      {name ?? messages().jobs.theBook}
    </a>
  );
}
