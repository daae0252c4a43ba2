import {
  isPublic,
  type LocateCore,
  type Located,
  type Location,
  locateCodes,
  nowhere,
  type PublicLocation,
} from '../../decks/locate-codes.ts';
import { placeMapKey } from '../../decks/place.ts';
import { type ChangeCommand, isUse } from './commands.ts';
import { findRedemptions, type KnownRedemption } from './find-redemptions.ts';
import { holderMapKey } from './holders.ts';
import { readCouponStates } from './locks/coupons.ts';
import { nameOf } from './obstacles.ts';
import { findOwnCoupons, type OwnCoupon } from './own-coupons.ts';
import { Redirect } from './redirect.ts';

/** A command with the coupon's place, which never changes and so is found before anything is locked. */
export interface ChangeTarget {
  readonly command: ChangeCommand;
  readonly location: Location | null;
  /** Where a public code was given in place of the coupon's own: its book; else null. */
  readonly publicLocation: PublicLocation | null;
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
  // The time of an answer must not tell a customer whether a code fits a pattern, so the database is always asked.
  const always = commands.some((command) => command.caller.customerId !== null);
  const located = await locateCodes(core, tenantId, codes, { always });
  const ownCoupons = await findOwnCoupons(
    core.pool,
    tenantId,
    commands.flatMap((command, index) => ownOf(command, located[index] ?? null)),
  );
  const targets = commands.map((command, index) => {
    const redemption = command.op === 'reverse' ? (redemptions.get(command.redemptionId) ?? null) : null;
    const found = located[index] ?? null;
    const publicLocation = isPublic(found) ? found : null;
    const location = redemption?.location ?? (isPublic(found) ? ownPlace(ownCoupons, command, found) : found);
    return { command, redemption, publicLocation, location: location ?? missingPlace(command, publicLocation) };
  });
  return always ? hideFromCustomers(core, tenantId, targets) : targets;
}

/** Whose coupon is meant by a public code. Whoever names no user means nobody's. */
function ownOf(command: ChangeCommand, found: Located | null) {
  return isPublic(found) && 'userId' in command ? [{ bookKey: found.publicBook, userId: command.userId }] : [];
}

function ownPlace(
  ownCoupons: Map<string, OwnCoupon>,
  command: ChangeCommand,
  { publicBook }: PublicLocation,
): Location | null {
  if (!('userId' in command)) return null;
  return ownCoupons.get(holderMapKey(publicBook, command.userId))?.location ?? null;
}

/** A coupon that is about to be dealt is not missing. */
function missingPlace(command: ChangeCommand, publicLocation: PublicLocation | null): Location | null {
  const isMissing = publicLocation === null || !isUse(command);
  return isMissing && command.caller.customerId !== null ? nowhere : null;
}

/** Whoever brings a public code and has no coupon is dealt one first. */
export function redirectToDeal({ command, location, publicLocation }: ChangeTarget): Redirect | null {
  return publicLocation !== null && location === null && isUse(command) ? new Redirect(publicLocation) : null;
}

/**
 * Replaces the place of a customer's command by `nowhere` unless the coupon is the customer's own, before anything is
 * locked. To lock and count a row took a sixth longer than to miss one, so some hundred tries told which codes somebody
 * holds. If the customer gets the coupon after this read, the request came first. If the customer loses it, the check
 * under its lock finds that out.
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
    const { command, publicLocation } = target;
    const { customerId } = command.caller;
    if (customerId === null || target.location === null) return target;
    const isOwn = coupons.get(placeMapKey(target.location))?.userId === customerId;
    // If the customer has lost the coupon since it was found by a public code, it counts as one that the customer never
    // had.
    return isOwn ? target : { ...target, location: missingPlace(command, publicLocation) };
  });
}

/**
 * The names of all that a target's transaction locks, as far as they are known before. The holder is known by its
 * coupon, once that was looked at, and by the user who is named.
 */
export function needsOfChange({ command, location }: ChangeTarget): string[] {
  if (location === null) return [];
  const { bookKey } = location;
  const needs = [nameOf.gate(bookKey), nameOf.coupon(location), nameOf.holderOf(location)];
  if ('userId' in command) needs.push(nameOf.holder(bookKey, command.userId));
  if (mayCount(command)) needs.push(nameOf.counter(bookKey));
  return needs;
}

/** Whether a command may change its book's counter. */
export function mayCount({ op }: ChangeCommand): boolean {
  return op === 'redeem' || op === 'reverse' || op === 'void';
}
