import { type LocateCore, type Location, locateCodes, nowhere } from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import type { ChangeCommand } from './commands.ts';
import { findRedemptions, type KnownRedemption } from './find-redemptions.ts';
import { readCouponStates } from './locks/coupons.ts';
import { thing } from './obstacles.ts';

/** A command with the coupon's place, which never changes and so is found before anything is locked. */
export interface ChangeTarget {
  readonly command: ChangeCommand;
  readonly location: Location | null;
  readonly redemption: KnownRedemption | null;
}

/** Finds where each command's coupon stands, in their order. */
export async function findChangeTargets(
  core: LocateCore,
  tenantId: number,
  commands: ChangeCommand[],
): Promise<ChangeTarget[]> {
  const reversals = commands.flatMap((command) => (command.op === 'reverse' ? [command.redemptionId] : []));
  const redemptions = await findRedemptions(core.pool, tenantId, reversals);
  const codes = commands.map((command) => (command.op === 'reverse' ? '' : command.code));
  // A customer must not learn from the time it takes whether a code is one of the pattern: it is always asked for.
  const always = commands.some((command) => command.caller.customerId !== null);
  const locations = await locateCodes(core, tenantId, codes, { always });
  const targets = commands.map((command, index) => {
    const redemption = command.op === 'reverse' ? (redemptions.get(command.redemptionId) ?? null) : null;
    const missing = command.caller.customerId === null ? null : nowhere;
    return { command, redemption, location: redemption?.location ?? locations[index] ?? missing };
  });
  return always ? hideFromCustomers(core, tenantId, targets) : targets;
}

/**
 * Sends a customer's command to nowhere unless the coupon is its own, before anything is locked. A row that is locked and
 * counted took a sixth longer than one that is not there: some hundred tries told which codes somebody holds. A coupon that
 * comes into the customer's hands meanwhile came after the request; one that leaves them is found out under its lock.
 */
async function hideFromCustomers(
  { pool }: Pick<LocateCore, 'pool'>,
  tenantId: number,
  targets: ChangeTarget[],
): Promise<ChangeTarget[]> {
  const ofCustomers = targets.filter(({ command }) => command.caller.customerId !== null);
  const asked = ofCustomers.flatMap(({ location }) => location ?? []);
  const coupons = await readCouponStates(pool, tenantId, asked);
  return targets.map((target) => {
    const { customerId } = target.command.caller;
    if (customerId === null || target.location === null) return target;
    const isOwn = coupons.get(placeMapKey(target.location))?.userId === customerId;
    return isOwn ? target : { ...target, location: nowhere };
  });
}

/**
 * The names of all that a target's transaction locks, as far as they are known before. The holder is known by its
 * coupon, once that was looked at, and by the user who is named.
 */
export function needsOfChange({ command, location }: ChangeTarget): string[] {
  if (location === null) return [];
  const { bookKey } = location;
  const needs = [thing.gate(bookKey), thing.coupon(location), thing.holderOf(location)];
  if ('userId' in command) needs.push(thing.holder(bookKey, command.userId));
  if (mayCount(command)) needs.push(thing.counter(bookKey));
  return needs;
}

/** Whether a command may change its book's counter. */
export function mayCount({ op }: ChangeCommand): boolean {
  return op === 'redeem' || op === 'reverse' || op === 'void';
}
