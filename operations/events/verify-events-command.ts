import { verifyEvents } from '../../core/index.ts';
import { runArchiveCommand } from './run-archive-command.ts';

const usage = `verify-events: reads exported events back, and finds every checksum, row and order to be as exported, and each event
to be as the database has it where it still does. The first that is not is named, and the exit code is 1.

  verify-events [--archive <folder>|s3://<bucket>/<prefix>] [--month 2026-01]

--archive  where they are; else EVENTS_ARCHIVE, else the folder events of QURABLE_HOME
--month    one month alone; else all`;

await runArchiveCommand(usage, { month: { type: 'string' } }, ({ pool, store }, { month = null }) =>
  verifyEvents(pool, store, month, (line) => console.log(line)),
);
