import type { ComponentChildren } from 'preact';
import { hasEnded } from '../calls/is-over.ts';
import type { Book } from '../calls/types.ts';
import { messages } from '../messages/messages.ts';

/** How a state is seen: by its word first, and its colour beside. */
export type Tone = 'good' | 'quiet' | 'warning' | 'danger';

/** A state in a word. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

const tones = { draft: 'quiet', active: 'good', paused: 'warning', closed: 'quiet' } as const;

/** A book's status; of one whose end has passed, that it has. */
export function BookStatus({ book }: { book: Pick<Book, 'status' | 'endsAt'> }) {
  const { common, book: text } = messages();
  if (hasEnded(book)) return <Badge tone="warning">{text.ended}</Badge>;
  return <Badge tone={tones[book.status]}>{common.status[book.status]}</Badge>;
}
