import { ArchiveError, exportEvents } from '../../core/index.ts';
import { runArchiveCommand } from './run-archive-command.ts';

const usage = `export-events: writes the events of each month that is over to the archive, as compressed lines of JSON with a
manifest and checksums, reads them back and compares them with the database. What was exported is not exported again; an
export that was broken off goes on where it stopped.

  export-events [--archive <folder>|s3://<bucket>/<prefix>] [--open] [--drop]

--archive  where to; else EVENTS_ARCHIVE, else the folder events of QURABLE_HOME
--open     also the month that is not over, up to now, in place of its last such export: what npm run reconcile reads
--drop     then removes from the database the months that EVENTS_KEEP_MONTHS does not keep, each compared once more first.
           Without EVENTS_KEEP_MONTHS it is refused. docs/events.md tells what can't be asked any more of events that are gone`;

await runArchiveCommand(
  usage,
  { open: { type: 'boolean' }, drop: { type: 'boolean' } },
  async ({ pool, store, keepMonths }, { open = false, drop = false }) => {
    if (drop && keepMonths === null)
      throw new ArchiveError('--drop needs EVENTS_KEEP_MONTHS: how many whole months stay in the database (3 or more)');
    await exportEvents(pool, store, {
      keepMonths: drop ? keepMonths : null,
      includesOpenMonth: open,
      say: (line) => console.log(line),
    });
    console.log(`export-events: done, in ${store.name}`);
  },
);
