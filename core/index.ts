/** The only door to the core: containers/ and handlers/ import from here and from nowhere deeper. */
export { authenticateKey } from './access/authenticate-key.ts';
export { createApiKey } from './access/create-api-key.ts';
export { createTenant } from './access/create-tenant.ts';
export { findTenantId } from './access/find-tenant-id.ts';
export { listApiKeys } from './access/list-api-keys.ts';
export { revokeApiKey } from './access/revoke-api-key.ts';
export { newBookTerms } from './books/book-rules.ts';
export { changeBook } from './books/change-book.ts';
export { createBook } from './books/create-book.ts';
export { listBooks } from './books/list-books.ts';
export { readBook } from './books/read-book.ts';
export type { Caller, Outcome, Role } from './caller.ts';
export { type Clock, systemClock } from './clock.ts';
export { spellCode } from './codes/code-rules.ts';
export { type Config, ConfigError, readConfig, readDatabase, refuseDatabaseParts } from './config.ts';
export type { Core } from './core.ts';
export { assignBatch, type BatchResult } from './coupons/assign-batch.ts';
export { assignCode } from './coupons/assign-code.ts';
export { assignCoupon } from './coupons/assign-coupon.ts';
export type { BatchListener, CouponQueue } from './coupons/engine/coupon-batches.ts';
export { listCouponEvents } from './coupons/list-coupon-events.ts';
export { listUserCoupons } from './coupons/list-user-coupons.ts';
export { lockCoupon } from './coupons/lock-coupon.ts';
export { readCoupon } from './coupons/read-coupon.ts';
export { redeemCoupon } from './coupons/redeem-coupon.ts';
export { reverseRedemption } from './coupons/reverse-redemption.ts';
export { unlockCoupon } from './coupons/unlock-coupon.ts';
export { validateCoupon } from './coupons/validate-coupon.ts';
export { voidCoupon } from './coupons/void-coupon.ts';
export { describeDatabaseTrouble } from './db/describe-database-trouble.ts';
export { migrateToLatest } from './db/migrate.ts';
export {
  type DatabaseFailure,
  databaseFailureReasons,
  isConnectionLoss,
  isDiskFull,
  isLockTimeout,
  isTimeout,
  loggable,
} from './db/sql-errors.ts';
export { deckMarksMessage } from './decks/deck-marks.ts';
export { exportCodes } from './decks/export-codes.ts';
export { generateCodes } from './decks/generate-codes.ts';
export { listCodes } from './decks/list-codes.ts';
export { listDecks } from './decks/list-decks.ts';
export { voidDeck } from './decks/void-deck.ts';
export {
  CouponError,
  conflictReasons,
  type ErrorKind,
  errorKinds,
  invalidInput,
  type PlainKind,
  type Refusal,
  refuse,
  unavailable,
} from './errors.ts';
export { type KeyedRequest, keyedRequest } from './idempotency/key-hash.ts';
export { limits } from './limits.ts';
export { type Log, silentLog, type WriteMark } from './log.ts';
export { warnOfLookalikes } from './lookalike-variables.ts';
export { startMaintenance } from './maintain.ts';
export { checkReady, closeCore, openCore } from './open-core.ts';
export { systemRandom } from './random.ts';
export type { RedisState } from './redis/open-redis.ts';
export type { Throttle } from './throttling/open-throttle.ts';
export { uploadCodes } from './uploads/upload-codes.ts';
export { eraseUser } from './users/erase-user.ts';
