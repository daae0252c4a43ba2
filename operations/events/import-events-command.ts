import { ArchiveError, eventMonth, importMonth } from '../../core/index.ts';
import { runArchiveCommand } from './run-archive-command.ts';

const usage = `import-events: brings a month's events back from the archive into the database. All of it is read first: a file
that was changed is refused, and nothing is written. A month that the database has is compared and left as it is.

  import-events --month 2026-01 [--archive <folder>|s3://<bucket>/<prefix>]

--month    the month, as year and month
--archive  where it is; else EVENTS_ARCHIVE, else the folder events of QURABLE_HOME`;

await runArchiveCommand(usage, { month: { type: 'string' } }, async ({ pool, store }, { month }) => {
  if (month === undefined) throw new ArchiveError('say which month: --month 2026-01');
  const rows = await importMonth(pool, store, eventMonth(month));
  console.log(
    rows === 0
      ? `${month}: the database has these events already, as they were exported`
      : `${month}: ${rows} events are back, and compared with the archive`,
  );
});
