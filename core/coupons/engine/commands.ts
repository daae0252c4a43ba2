import type { Caller } from '../../caller.ts';
import type { KeyedRequest } from '../../idempotency/key-hash.ts';
import type { BookKey } from '../../keys.ts';

/** What every command brings. */
interface Command {
  caller: Caller;
  /** Null for a request without an idempotency key. */
  keyed: KeyedRequest | null;
}

/** A change of a coupon that exists. */
export type ChangeCommand = Command &
  (
    | { op: 'lock'; code: string; userId: string; ttlSeconds: number | null; lockToken: string | null }
    | { op: 'unlock'; code: string; userId: string; lockToken: string }
    | { op: 'force-unlock'; code: string; reason: string | null }
    | {
        op: 'redeem';
        code: string;
        userId: string;
        lockToken: string | null;
        reference: string | null;
        metadata: object | null;
      }
    | { op: 'void'; code: string; reason: string | null }
    | { op: 'reverse'; redemptionId: string; reason: string | null }
  );

/** What a user who brings a public code may be dealt a coupon for. */
export type UseCommand = ChangeCommand & { op: 'lock' | 'redeem' };

/** Whether a change is one of those. */
export function isUse(command: ChangeCommand): command is UseCommand {
  return command.op === 'lock' || command.op === 'redeem';
}

/**
 * What takes a code out of a deck. `bookKey` is null for a book that does not exist. `use` deals a coupon to a user of
 * a book by the book's public code, as it is stored, and does with it what the user came for.
 */
export type DealCommand = Command &
  (
    | { op: 'draw'; bookKey: BookKey | null; userId: string }
    | { op: 'use'; bookKey: BookKey; publicCode: string; userId: string; use: UseCommand }
    | { op: 'take'; code: string; userId: string }
    | { op: 'discard'; code: string; reason: string | null }
  );
