import { effect, signal } from '@preact/signals';
import { useEffect } from 'preact/hooks';
import { address } from '../address/address.ts';

interface Note {
  id: number;
  text: string;
  /** The page that it is about, which it does not outlive. */
  path: string;
}

const shownMillis = 6_000;
/** What is read out and not shown. */
const spoken = signal('');
const notes = signal<Note[]>([]);
let lastId = 0;

/** Has a text read out to those who do not see the page change. */
export function announce(text: string): void {
  // The same text twice in a row is read twice only where it is another one.
  spoken.value = spoken.value === text ? `${text}\u00A0` : text;
}

// What is said of one book must not stand on another's page.
effect(() => {
  const { path } = address.value;
  const kept = notes.peek().filter((note) => note.path === path);
  if (kept.length < notes.peek().length) notes.value = kept;
});

/**
 * Says that something is done: shown for some seconds and as long as its page is, and read out. Where it leads to
 * another page, go there first.
 */
export function notify(text: string): void {
  lastId += 1;
  const id = lastId;
  notes.value = [...notes.value.slice(-1), { id, text, path: address.value.path }];
  announce(text);
  setTimeout(() => {
    notes.value = notes.value.filter((note) => note.id !== id);
  }, shownMillis);
}

/** The one live region of the page, and the notes. It is there from the start: a region that is added says nothing. */
export function LiveRegion() {
  return (
    <>
      <div class="visually-hidden" role="status" aria-live="polite">
        {spoken.value}
      </div>
      {/* The region has said it already. */}
      <div class="notes" aria-hidden="true">
        {notes.value.map(({ id, text }) => (
          <div key={id} class="note">
            {text}
          </div>
        ))}
      </div>
    </>
  );
}

/** Has a text read out whenever it is another one. */
export function useAnnounced(text: string | null): void {
  useEffect(() => {
    if (text !== null) announce(text);
  }, [text]);
}
