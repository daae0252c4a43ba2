/** How the server fares. */
export const health = {
  title: 'Health',
  intro:
    'How the server process that answered you is doing right now, with what each figure means and when to worry. The errors themselves are in its log.',
  version: 'Version',
  uptime: 'Runs since',
  database: 'Database',
  replica: 'Read replica',
  redis: 'Redis',
  queue: 'Oldest request that waits',
  marks: 'Marks for a restore, last repeated',
  /** What each figure means, and when somebody has to do something. */
  meanings: {
    version: 'Name it when you ask for help. After an update all servers have the new one within minutes.',
    uptime:
      'If this is a moment ago and nobody updated or restarted it, the process has fallen over: look into its log.',
    database:
      'Everything is kept there. A few milliseconds are usual. Worry when it takes more than half a second for minutes; while it does not answer, no code can be given out or redeemed.',
    schema: 'How the tables are laid out. Worry only when another version is needed than there is.',
    replica:
      'A copy that lists and exports are read from. Seconds behind are usual. Ten minutes or more behind, lists and exports are out of date and somebody has to look; giving out and redeeming are right all the same.',
    redis:
      'It counts who tries codes out too often. Away for minutes is no harm, as each process then counts by itself. Worry when it stays away for an hour.',
    queue:
      'How long a request waits for its turn, at worst. Below a second all is well. From two seconds on new ones are turned away: the database is too slow for what is asked of it.',
    marks:
      'Each second the log is told how far codes were given out, so that a restored database gives none twice. More than ten seconds is late: customers notice nothing, but do not restore the database before this is well again.',
    dropped:
      'Zero is right. A number that grows means that the log can’t be written fast enough, so that an error may stand nowhere.',
    pools:
      'A request borrows a connection to the database and gives it back. All of them open is no harm. Worry when some wait for one for minutes: the database is too slow, or something holds the connections.',
    tasks:
      'What fails is tried again by itself, so one failure is no harm. Worry when a task has failed three times or more in a row: what it does stands still until it succeeds.',
  },
  reachable: (time: string) => `Answers in ${time}`,
  unreachable: 'Does not answer',
  behind: (time: string) => `${time} behind`,
  schema: 'Schema',
  schemaIs: (version: string) => `Version ${version}, as needed`,
  schemaWrong: (version: string, needed: string) => `Version ${version}, but ${needed} is needed: run the migrations`,
  notConfigured: 'Not configured',
  redisStates: { ready: 'Ready', away: 'Away: everything goes on without it', closed: 'Closed' },
  ago: (time: string) => `${time} ago`,
  late: 'Late',
  dropped: 'Lines that the log lost',
  pools: 'Connections to the database',
  pool: 'For',
  poolNames: {
    'hot path': 'Giving and redeeming codes',
    'other writes': 'Other changes',
    lists: 'Lists',
    background: 'Background',
  } as Record<string, string>,
  open: 'Open',
  max: 'At most',
  idle: 'Idle',
  waiting: 'Waiting for one',
  tasks: 'Work in the background',
  task: 'Task',
  inLog: 'in the log:',
  taskNames: {
    maintenance: 'Keeping the tables in shape',
    'ended sessions': 'Removing ended sessions',
    'settle events': 'Putting events in order',
    'count events': 'Counting events for the charts',
    'jobs 1': 'Jobs, first worker',
    'jobs 2': 'Jobs, second worker',
    'jobs clean-up': 'Removing old jobs',
    'hand on events': 'Handing events on to webhooks',
    'watch books': 'Watching books for webhooks',
    'announce stock': 'Telling operators of books that run out',
    'replay events': 'Sending events again',
    'deliver webhooks': 'Sending to webhooks',
    'purge deliveries': 'Removing old deliveries',
  } as Record<string, string>,
  taskState: 'State',
  fine: 'Fine',
  failures: 'Failures in a row',
  lastFailedAt: 'Last failed',
  never: 'Never',
  othersOnly: 'What all tenants together cause is shown to the first tenant alone.',
};
