import type { CodeSource } from '../decks/codes-at.ts';
import { openKnownDecks } from '../decks/known-decks.ts';
import type { CodeSecret } from '../patterns/code-secret.ts';
import { openKnownPatterns } from '../patterns/known-patterns.ts';

/**
 * Opens what finds the codes at places, with empty memories, for a command that runs outside of the API's processes.
 */
export function openCodeSource(secret: CodeSecret): CodeSource {
  return { knownDecks: openKnownDecks(), knownPatterns: openKnownPatterns(secret) };
}
