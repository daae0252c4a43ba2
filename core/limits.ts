/**
 * The bounds that callers meet, in one place: what is longer, more or slower is refused, cut or told to wait. The unit
 * is in the name, the reason beside the value. Those of throttling stand in throttling/throttle-limits.ts, what an
 * operator may want to change in config.ts. Bounds that callers never see stand beside their use.
 */
export const limits = {
  // Codes and patterns. 4 keeps a code readable, 64 keeps an index entry short.
  codeLengthMinChars: 4,
  codeLengthMaxChars: 64,
  /** As somebody typed or pasted it, with white space and what has no width. */
  codeTypedMaxChars: 256,
  /** Codes that a search by somebody's spelling gives; more would be no help in choosing. */
  alikeCodesMax: 20,
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
  deckNameMaxChars: 200,
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
  /**
   * Strings, brackets, commas and escaped quotes of a whole body: twice what the longest list has, and a few
   * milliseconds.
   */
  jsonMaxTokens: 50_000,
  apiKeyNameMaxChars: 100,
  /** As long as the longest bootstrap key. */
  apiKeyMaxChars: 128,
  tenantSlugMaxChars: 63,
  idempotencyKeyMaxChars: 255,

  // Books. int4 columns hold these with room to spare.
  perUserLimitMax: 1_000_000,
  validForDaysMax: 3_650,
  redemptionsPerCodeMax: 1_000_000,
  redemptionsPerBookMax: 1_000_000_000_000,
  /** A year by the hour, or 25 years by the day: an answer of a megabyte. */
  reportMaxSteps: 9_216,
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
  /** A line with one code has at most 64 characters, so a thousand times as many leave room for other columns. */
  uploadLineMaxChars: 65_536,
  /** How many characters of quoted cells a record of a CSV keeps; a file that opens quotes for ever costs no more. */
  uploadRecordMaxChars: 65_536,
  /** Longer strings of a JSON document are no codes; what is kept of one is enough to show it. */
  uploadStringMaxChars: 4_096,
  /**
   * Slower than any line that people use; an upload that trickled along would keep others of its tenant waiting for
   * days.
   */
  uploadMinBytesPerMinute: 65_536,
  /**
   * Each upload sorts and merges on a connection of its own, and holds a million rows in memory: more at once would
   * only share the same disk. Of one tenant they would wait for one another's lock anyway. An upload of a million codes
   * takes some seconds.
   */
  uploadsAtOnce: 3,
  uploadMaxWaitMillis: 30_000,

  // Jobs.
  /** A file of a job is kept in the database for days: some hundred MB of it, and tens of MB of WAL a minute. */
  jobMaxRows: 2_000_000,
  /** A hundred bytes a row, with columns that are not read. */
  jobMaxBytes: 268_435_456,
  /** About a GB in the database, for days. Longer lists are streamed. */
  jobExportMaxRows: 10_000_000,
  /** More codes for one user belong into more rows: a typing error here would hand out a whole book. */
  jobRowMaxCodes: 1_000,
  /** One runs at a time. Far more than people start by hand, and a bound for what waits in the database. */
  jobsUnfinishedMax: 100,
  /** After the end of a job, for its file and its result. */
  jobKeptDays: 7,

  headerMaxBytes: 16_384,
  /** The head of a request arrives in one packet. To wait longer than a connection is kept open would be of no use. */
  headersMaxMillis: 20_000,
  /** A body comes in one or two packets; whoever takes this long holds a connection for its own sake. */
  bodyMaxMillis: 30_000,
  /** More of what is wrong with a request than these in one answer help nobody. */
  problemsMaxNamed: 50,
  tokenMaxChars: 8_192,
  /** How far an issuer's clock may be ahead of ours. An expired token is expired: `exp` gets no leeway. */
  tokenMaxSecondsAhead: 5,
  /** Of an issuer's RSA keys; shorter ones are left out (RFC 7518, section 3.3). */
  rsaModulusMinBits: 2_048,
  pageMaxItems: 1_000,
  pageDefaultItems: 100,
  /** Rows a filtered list may look at for one page; a page that runs out of them is short, with a cursor. */
  pageScanMaxRows: 50_000,
  defaultRateLimitPerSecond: 0,

  // Webhooks.
  webhooksOfTenant: 50,
  /** A test is a request to wherever somebody likes: not a tool for finding out who answers. */
  webhookTestsPerMinute: 10,
  deliveriesKeptDays: 30,

  // Queues in front of the hot path.
  /** About two seconds of work at full speed: what waits longer is better told to come back. */
  queueMaxMembers: 20_000,
  queueMaxWaitMillis: 5_000,
  /** A queue whose head is older than this is overloaded, and new members are turned away at the door. */
  queueShedAgeMillis: 2_000,

  // What another session holds: somebody's open transaction, a frozen process.
  /**
   * A member that is held up is refused so long after it came. Clients that come back are better than clients that
   * hang.
   */
  heldUpMaxMillis: 1_500,
  /** How many such members may wait, of one tenant and in all: each check asks about all of them. */
  heldUpMaxOfTenant: 1_024,
  heldUpMaxMembers: 4_096,

  // Writes off the hot path.
  /** How many of one tenant may wait for their turn, and for how long. */
  coldTurnMaxWaiting: 100,
  coldTurnMaxWaitMillis: 5_000,
  /** A search beyond would take the better part of ten seconds. */
  conflictSearchMaxCodes: 5_000_000,

  // Lifetimes.
  idempotencyKeptHours: 48,
  /** Revoking a key works everywhere within 5 seconds; 3 leaves room for a slow query. */
  apiKeyCacheMillis: 3_000,

  // Sessions of the console.
  /** Whoever leaves the desk does not leave the console open for the next one. */
  sessionIdleMaxMinutes: 30,
  /** A working day. */
  sessionMaxHours: 12,
  /** Of one key or person, at once; one more ends the oldest. */
  sessionsMaxOfOne: 50,
  personNameMaxChars: 200,
  /** A link that `npm start` prints: long enough to look at the terminal, too short to be found there the day after. */
  signInLinkMaxMinutes: 30,
  /** Of one address. An office behind one gateway signs in less often, and what is guessed has 256 bits. */
  signInsPerSecond: 5,

  // Shutdown: the load balancer's deregistration delay is 30 s and a task is killed after its stop timeout.
  drainMaxMillis: 25_000,
} as const;
