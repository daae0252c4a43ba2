/** The only door to the core: containers/ and handlers/ import from here and from nowhere deeper. */

export { ApiKeyDocument, CreatedApiKey } from './access/api-key-document.ts';
export { ApiKeyInput } from './access/api-key-input.ts';
export { authenticateKey } from './access/authenticate-key.ts';
export { authenticateSession } from './access/authenticate-session.ts';
export { createApiKey } from './access/create-api-key.ts';
export { createTenant } from './access/create-tenant.ts';
export { endOwnSessions, endSession, endSessionById } from './access/end-sessions.ts';
export { findTenantId } from './access/find-tenant-id.ts';
export { listApiKeys } from './access/list-api-keys.ts';
export { listOwnSessions, listSessionsOfTenant } from './access/list-sessions.ts';
export { readSession } from './access/read-session.ts';
export { revokeApiKey } from './access/revoke-api-key.ts';
export { SessionView } from './access/session-view.ts';
export { type SignedInPerson, signInAsPerson } from './access/sign-in-as-person.ts';
export { makeSignInLink, signInWithLink } from './access/sign-in-links.ts';
export { signInWithKey } from './access/sign-in-with-key.ts';
export type { NewSession } from './access/start-session.ts';
export { CreatedTenant, TenantInput } from './access/tenant-document.ts';
export { ArchiveError } from './archive/archive-error.ts';
export type { ArchiveStore } from './archive/archive-store.ts';
export { eventMonth } from './archive/event-months.ts';
export { type EventsExport, exportEvents } from './archive/export-events.ts';
export { importMonth } from './archive/import-month.ts';
export { findLostRedemptions, type LostRedemption } from './archive/lost-redemptions.ts';
export { openCodeSource } from './archive/open-code-source.ts';
export { verifyEvents } from './archive/verify-events.ts';
export { withArchiveDatabase } from './archive/with-archive-database.ts';
export { askOnce } from './ask-once.ts';
export { type RunningTasks, startBackground } from './background.ts';
export { changeBook } from './book-life/change-book.ts';
export { createBook } from './book-life/create-book.ts';
export { BookRevision, listBookRevisions } from './book-life/list-book-revisions.ts';
export { CountsView } from './books/book-counts.ts';
export { BookDocument } from './books/book-document.ts';
export { BookInput, BookPatch } from './books/book-terms.ts';
export { BookListRequest, listBooks } from './books/list-books.ts';
export { readBook } from './books/read-book.ts';
export { readBookCounts } from './books/read-book-counts.ts';
export { BoundedMap, cacheMaxEntries } from './bounded-map.ts';
export type { Caller, Outcome, Role } from './caller.ts';
export { type Clock, systemClock } from './clock.ts';
export { spellCode } from './codes/code-rules.ts';
export {
  type Config,
  type EventArchiveConfig,
  type OidcConfig,
  readConfig,
  readEventArchive,
} from './config.ts';
export type { Core } from './core.ts';
export { assignBatch, type BatchResult } from './coupons/assign-batch.ts';
export { assignCode } from './coupons/assign-code.ts';
export { assignCoupon } from './coupons/assign-coupon.ts';
export {
  AssignBatchInput,
  AssignCodeInput,
  AssignInput,
  LockInput,
  ReasonInput,
  RedeemInput,
  TransferInput,
  UnlockInput,
  ValidateInput,
} from './coupons/coupon-inputs.ts';
export type { BatchListener, CouponQueue } from './coupons/engine/coupon-batches.ts';
export { exportRedemptions } from './coupons/export-redemptions.ts';
export { findAlikeCodes } from './coupons/find-alike-codes.ts';
export { CouponEvent, listCouponEvents } from './coupons/list-coupon-events.ts';
export { listRedemptions, RedemptionListRequest } from './coupons/list-redemptions.ts';
export { listUserCoupons, UserCouponsRequest } from './coupons/list-user-coupons.ts';
export { lockCoupon } from './coupons/lock-coupon.ts';
export { type CodeLookUp, codeStandingFields, lookUpCode } from './coupons/look-up-code.ts';
export { readCoupon } from './coupons/read-coupon.ts';
export { redeemCoupon } from './coupons/redeem-coupon.ts';
export { RedemptionView } from './coupons/redemption-view.ts';
export { reverseRedemption } from './coupons/reverse-redemption.ts';
export { CouponView, LockedCouponView, RedeemedCouponView } from './coupons/rules/coupon-view.ts';
export { transferCoupon } from './coupons/transfer-coupon.ts';
export { unlockCoupon } from './coupons/unlock-coupon.ts';
export { Validation, validateCoupon } from './coupons/validate-coupon.ts';
export { voidCoupon } from './coupons/void-coupon.ts';
export { type DatabaseAddress, readDatabase, refuseDatabaseParts } from './database-address.ts';
export { describeDatabaseTrouble } from './db/describe-database-trouble.ts';
export { driverFault } from './db/group-statements.ts';
export { migrateToLatest } from './db/migrate.ts';
export { openPool, type Queryable } from './db/pool.ts';
export {
  type DatabaseFailure,
  databaseFailureReasons,
  isConnectionLoss,
  isDiskFull,
  isLockTimeout,
  isTimeout,
  loggable,
} from './db/sql-errors.ts';
export { CodeView } from './decks/code-view.ts';
export { DeckName, VoidDeckInput } from './decks/deck-inputs.ts';
export { deckMarksMessage } from './decks/deck-marks.ts';
export { DeckView } from './decks/deck-view.ts';
export { exportCodes } from './decks/export-codes.ts';
export { generateCodes } from './decks/generate-codes.ts';
export { GeneratedDeck, GenerateInput } from './decks/generated-deck.ts';
export { CodeListRequest, listCodes } from './decks/list-codes.ts';
export { listDecks } from './decks/list-decks.ts';
export { voidDeck } from './decks/void-deck.ts';
export { ConfigError, type Environment } from './environment.ts';
export {
  CouponError,
  conflictReasons,
  type ErrorKind,
  errorKinds,
  invalidInput,
  invalidInputs,
  type PlainKind,
  type Refusal,
  refuse,
  unavailable,
  unavailableOutcomes,
} from './errors.ts';
export { ReportRequest, ReportView, readReport } from './events/read-report.ts';
export { type KeyedRequest, keyedRequest } from './idempotency/key-hash.ts';
export { checkInput } from './input/check-input.ts';
export { describeProblems } from './input/describe-problems.ts';
export { exampleId, nullable, oneOf, strictObject, UserId, withDefault } from './input/shapes.ts';
export { cancelJob } from './jobs/cancel-job.ts';
export { createJob } from './jobs/create-job.ts';
export { JobDocument } from './jobs/job-document.ts';
export { JobRequest } from './jobs/job-input.ts';
export { listJobs } from './jobs/list-jobs.ts';
export { readJob } from './jobs/read-job.ts';
export { readJobResult } from './jobs/read-job-result.ts';
export { limits } from './limits.ts';
export { type Log, silentLog, type WriteMark } from './log.ts';
export { warnOfLookalikes } from './lookalike-variables.ts';
export { checkReady, closeCore, openCore } from './open-core.ts';
export {
  answerMaxMillis,
  type OutboundAnswer,
  type OutboundRequest,
  openSender,
  outboundErrors,
  type Sender,
} from './outbound/open-sender.ts';
export { type AwsCredentials, signAwsRequest } from './outbound/sign-aws-request.ts';
export { PageRequest } from './paging.ts';
export { systemRandom } from './random.ts';
export { type HealthSources, HealthView, openHealth } from './read-health.ts';
export type { RedisState } from './redis/open-redis.ts';
export { deleteBook } from './removal/delete-book.ts';
export { askRestored, type RestoredAnswers } from './restore/ask-restored.ts';
export { type FurthestMarks, readDeckMarks } from './restore/read-deck-marks.ts';
export { readInvariants } from './restore/read-invariants.ts';
export { reasonsAgainst } from './restore/restored-answer-rules.ts';
export type { Throttle } from './throttling/open-throttle.ts';
export type { BatchTrace, RequestTrace, TraceAttributes, Tracing } from './trace.ts';
export { HeaderRule, type UploadFormat } from './uploads/formats/row-sink.ts';
export { uploadCodes } from './uploads/upload-codes.ts';
export { UploadedDeck } from './uploads/uploaded-deck.ts';
export { eraseUser } from './users/erase-user.ts';
export { isUuid } from './uuid.ts';
export { type Announcer, announceMaxMillis, type StockNews } from './webhooks/announcer.ts';
export { changeWebhook } from './webhooks/change-webhook.ts';
export { createWebhook } from './webhooks/create-webhook.ts';
export { deleteWebhook } from './webhooks/delete-webhook.ts';
export { countRunningOut, type RunningOut } from './webhooks/delivery/watch-books.ts';
export { DeliveryDocument } from './webhooks/delivery-document.ts';
export { BookEventData, CouponEventData, JobEventData, TestEventData, WebhookEvent } from './webhooks/event-data.ts';
export { type EventType, eventTypeNumbers, subscribableTypes } from './webhooks/event-types.ts';
export { listDeliveries } from './webhooks/list-deliveries.ts';
export { listWebhooks } from './webhooks/list-webhooks.ts';
export { readWebhook } from './webhooks/read-webhook.ts';
export { ReplayDocument, replayWebhook } from './webhooks/replay-webhook.ts';
export { rotateWebhookSecret } from './webhooks/rotate-secret.ts';
export { testWebhook } from './webhooks/test-webhook.ts';
export { WebhookDocument, WebhookWithSecret } from './webhooks/webhook-document.ts';
export { ReplayInput, WebhookInput, WebhookPatch } from './webhooks/webhook-input.ts';
