/**
 * Every bound of the product, in one place: the unit is in the name, the reason beside the value. What an operator may
 * want to change is in config.ts instead.
 */
export const limits = {
  // Codes and patterns. 4 keeps a code readable, 64 keeps an index entry short.
  codeLengthMinChars: 4,
  codeLengthMaxChars: 64,
  /** FF1's floor: NIST SP 800-38G wants radix^length of at least one million. */
  patternCombinationsMin: 1_000_000,
  /** A guess must not be right more often than one time in a million, unless the caller insists. */
  guessOddsMin: 1_000_000,
  alphabetMinSymbols: 2,
  alphabetMaxSymbols: 36,
  /** A generated deck is a row whatever its size; ten billion is one code for each person on earth. */
  generatedDeckMaxCodes: 10_000_000_000,
  /** Sequence numbers and int8 columns are read as JavaScript numbers, which are exact below 2^53. */
  sequenceMaxIndex: Number.MAX_SAFE_INTEGER,

  // Text. Long enough for anything people use, short enough that 256 of them make a small statement.
  userIdMaxChars: 128,
  bookNameMaxChars: 200,
  descriptionMaxChars: 2_000,
  referenceMaxChars: 200,
  reasonMaxChars: 500,
  metadataMaxBytes: 4_096,
  /** Deeper JSON is refused before it is parsed: a parser's recursion is an attacker's stack overflow. */
  jsonMaxDepth: 32,
  /** No request has more than twenty fields. */
  jsonMaxFields: 100,
  /** In one field of a body, at all its levels: as many as the longest list that a request takes, `userIds`. */
  jsonMaxItems: 10_000,
  /** Strings, brackets, commas and escaped quotes of a whole body: twice what the longest list has, and a few milliseconds. */
  jsonMaxTokens: 50_000,
  apiKeyNameMaxChars: 100,
  tenantSlugMaxChars: 63,
  idempotencyKeyMaxChars: 255,

  // Books. int4 columns hold these with room to spare.
  perUserLimitMax: 1_000_000,
  redemptionsPerCodeMax: 1_000_000,
  redemptionsPerBookMax: 1_000_000_000_000,
  lockTtlMaxSeconds: 86_400,
  lockTtlDefaultSeconds: 300,

  // Requests.
  bodyMaxBytes: 65_536,
  assignBatchMaxUsers: 10_000,
  /** 10,000 user ids of 128 characters, four bytes each, with quotes and commas. */
  assignBatchMaxBytes: 6_000_000,
  /** 100 million codes in a file; more belongs into a second deck. */
  uploadMaxBytes: 4_294_967_296,
  uploadMaxRejectionsNamed: 1_000,
  headerMaxBytes: 16_384,
  tokenMaxChars: 8_192,
  pageMaxItems: 1_000,
  pageDefaultItems: 100,
  /** Rows a filtered list may look at for one page; a page that runs out of them is short, with a cursor. */
  pageScanMaxRows: 50_000,
  defaultRateLimitPerSecond: 0,

  // Batches. 256 members amortise a transaction; more only adds waiting.
  batchMaxMembers: 256,
  /** Transactions of one kind in flight: one writes while the next one gathers and commits. */
  batchMaxInFlight: 2,
  /** A transaction costs the database as much as some 15 members, and the API as some 10. */
  batchWorthwhileMembers: 24,
  /**
   * Fewer are gathered for so long: longer than most transactions, and less than anyone notices. At 1,160 requests of the
   * day's mix a second it saves a quarter of the API's time and two fifths of the database's, for 1 ms in a median answer.
   */
  batchGatherMillis: 15,
  /** About two seconds of work at full speed: what waits longer is better told to come back. */
  queueMaxMembers: 20_000,
  queueMaxWaitMillis: 5_000,
  /** A queue whose head is older than this is overloaded, and new members are turned away at the door. */
  queueShedAgeMillis: 2_000,
  batchRetries: 3,
  /** Healthy transactions end before; one that takes longer most likely waits for a lock. */
  batchSlowMillis: 100,
  /** Slow ones that leave their place to others, where the pool has connections for that. */
  batchMaxSlow: 4,

  // What another session holds: somebody's open transaction, a frozen process.
  /** How often members that are held up look whether they may go on: each look is one short transaction a tenant. */
  heldUpEveryMillis: 100,
  /** A member that is held up is refused so long after it came. Clients that come back are better than clients that hang. */
  heldUpMaxMillis: 1_500,
  /** So many wait, of one tenant and of all: each look asks for all of them. */
  heldUpMaxOfTenant: 1_024,
  heldUpMaxMembers: 4_096,
  obstaclesMax: 10_000,
  /** What was held is looked at before it is run into again; an entry that is no longer true costs one look. */
  obstacleKeptMillis: 10_000,
  /** A batch runs again so often without those that are held up; each time costs a time-out. */
  obstacleRounds: 3,

  // Database. A hot statement takes milliseconds; ten seconds means something is broken.
  statementTimeoutMillis: 10_000,
  /** The server gives up first, unless it can't be heard: a statement's time runs while those before it wait for locks. */
  answerTimeoutMillis: 45_000,
  lockTimeoutMillis: 5_000,
  idleInTransactionMillis: 15_000,
  /** A batch holds its locks for milliseconds: who has waited so long waits for something else than a batch. */
  hotLockTimeoutMillis: 400,
  /** Less, where one such wait has been already. */
  shortLockTimeoutMillis: 150,
  /** More, where many processes want the same row: fifty tasks that deal from one book make a queue of a second. */
  busyLockTimeoutMillis: 1_500,
  /** A process that is frozen in the middle of a batch lets go of its locks after so long. */
  hotIdleInTransactionMillis: 2_500,
  /** Writes off the hot path give up a wait for a lock so soon, and let go of all that they hold, before they try again. */
  coldLockTimeoutMillis: 250,
  coldLockTries: 5,
  /** About so long they pause in between. */
  coldLockPauseMillis: 100,
  /** Of one tenant, so many wait for their turn, and so long. */
  coldTurnMaxWaiting: 100,
  coldTurnMaxWaitMillis: 5_000,
  /** Who gave its turn back, since a lock was held, waits no longer for the next one: it has waited already. */
  coldRetryTurnMillis: 500,
  /** An upload waits for the tenant's others, which store their codes meanwhile, on a connection of its own. */
  publishLockTimeoutMillis: 60_000,
  /** Once its codes are stored it has done too much to begin again, and tries for its book's gate half a minute. */
  publishGateTries: 80,
  /** Codes of a page in a search: 30 ms of a connection. */
  conflictSearchPageCodes: 20_000,
  /** A search beyond would take the better part of ten seconds. */
  conflictSearchMaxCodes: 5_000_000,
  connectTimeoutMillis: 5_000,
  idleConnectionMillis: 30_000,
  /** An upload of millions of rows sorts and merges in one statement. */
  uploadStatementTimeoutMillis: 1_800_000,
  bookCounterStripes: 16,
  /** Marks of deals must not wait for a database that stalls: reading them takes milliseconds. */
  marksConnectTimeoutMillis: 2_000,
  marksStatementTimeoutMillis: 2_000,
  marksAnswerTimeoutMillis: 3_000,

  // Lifetimes.
  idempotencyKeptHours: 48,
  /** Revoking a key works everywhere within 5 seconds; 3 leaves room for a slow query. */
  apiKeyCacheMillis: 3_000,
  cacheMaxEntries: 10_000,

  // Shutdown: the load balancer's deregistration delay is 30 s and a task is killed after its stop timeout.
  drainMaxMillis: 25_000,
} as const;
