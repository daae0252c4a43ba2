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
type CodeDoc = { code: string; status: Status; deckId: string; userId: string | null };
type PageRequest = { limit: number; cursor?: string };
const no = async (): Promise<never> => {
  throw refuse('unavailable', 'not yet');
};
type L<R, T> = (core: Core, caller: Caller, id: string, r: R) => Promise<T>;
export const listCodes: L<PageRequest & { status?: Status }, Page<CodeDoc>> = no;
export const exportCodes: L<{ status?: Status }, Readable> = no;
export const listDecks: L<PageRequest, Page<DeckDoc>> = no;
export const voidDeck: (
  core: Core,
  caller: Caller,
  id: string,
  deckId: string,
  key?: string,
) => Promise<Outcome<DeckDoc>> = no;
