import type { Config } from '../config.ts';
import type { CodeSource } from '../decks/codes-at.ts';
import { openKnownDecks } from '../decks/known-decks.ts';
import { openKnownPatterns } from '../patterns/known-patterns.ts';

/** What finds the codes at places, for a command that is no API. */
export function openCodeSource(config: Config): CodeSource {
  return { knownDecks: openKnownDecks(), knownPatterns: openKnownPatterns(config) };
}
