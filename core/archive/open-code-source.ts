import type { CodeSource } from '../decks/codes-at.ts';
import { openKnownDecks } from '../decks/known-decks.ts';
import type { CodeSecret } from '../patterns/code-secret.ts';
import { openKnownPatterns } from '../patterns/known-patterns.ts';

/** What finds the codes at places, for a command that is no API. */
export function openCodeSource(secret: CodeSecret): CodeSource {
  return { knownDecks: openKnownDecks(), knownPatterns: openKnownPatterns(secret) };
}
