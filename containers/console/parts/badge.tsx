import type { ComponentChildren } from 'preact';
import { messages } from '../messages/messages.ts';

/** How a state is seen: by its word first, and its colour beside. */
export type Tone = 'good' | 'quiet' | 'warning' | 'danger';

/** A state in a word. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return <span class={`badge badge-${tone}`}>{children}</span>;
}

const tones = { draft: 'quiet', active: 'good', paused: 'warning', closed: 'quiet' } as const;

/** A book's status. */
export function BookStatus({ status }: { status: keyof typeof tones }) {
  return <Badge tone={tones[status]}>{messages().common.status[status]}</Badge>;
}
