import type { Readable } from 'node:stream';
import { type Caller, type Core, type Outcome, refuse } from '../../core/index.ts';

interface Page<T> {
  data: T[];
  nextCursor: string | null;
}
type Status = 'available' | 'assigned' | 'locked' | 'redeemed' | 'voided';
type DeckDoc = {
  id: string;
  kind: 'generated' | 'uploaded';
  size: number;
  dealt: number;
  voided: number;
  createdAt: string;
};
const no = async (): Promise<never> => {
  throw refuse('unavailable', 'not yet');
};
export const uploadCodes: (
  core: Core,
  caller: Caller,
  id: string,
  input: { format: 'json' | 'csv' | 'ndjson'; stream: Readable },
  key?: string,
) => Promise<
  Outcome<{
    deckId: string | null;
    accepted: number;
    rejected: number;
    duplicates: number;
    rejections: { line: number; code: string; reason: string }[];
  }>
> = no;
export const listCodes: (
  core: Core,
  caller: Caller,
  id: string,
  r: { status?: Status; limit: number; cursor?: string },
) => Promise<Page<{ code: string; status: Status; deckId: string; userId: string | null }>> = no;
export const exportCodes: (core: Core, caller: Caller, id: string, r: { status?: Status }) => Promise<Readable> = no;
export const listDecks: (
  core: Core,
  caller: Caller,
  id: string,
  r: { limit: number; cursor?: string },
) => Promise<Page<DeckDoc>> = no;
export const voidDeck: (
  core: Core,
  caller: Caller,
  id: string,
  deckId: string,
  key?: string,
) => Promise<Outcome<DeckDoc>> = no;
