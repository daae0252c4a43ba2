import { ArchiveError, findLostRedemptions, openCodeSource } from '../../core/index.ts';
import { runArchiveCommand } from './run-archive-command.ts';

const usage = `reconcile: after a restore, lists what was redeemed or given back according to exported events and is not in the
database: one line of JSON each, in the order of time. It changes nothing. Lines hold codes and user ids.

  reconcile [--since 2026-11-28T03:00:00Z] [--archive <folder>|s3://<bucket>/<prefix>]

--since    only what happened from this moment on; without it all of the archive is read
--archive  where the events are; else EVENTS_ARCHIVE, else the folder events of QURABLE_HOME

action  redeem-again     the coupon is there, in the same hands, and can be redeemed: redeem it for the user
        honour           it can't be redeemed again here: whoever has its goods has them
        give-back-again  the redemption is there, and that it was given back is lost: give it back

Events are in the archive up to the last export; export-events --open of the damaged database, if it can still be read,
reaches up to its end. What happened after the last export is in no line.`;

await runArchiveCommand(usage, { since: { type: 'string' } }, async ({ pool, store, config }, { since = null }) => {
  const from = since === null ? null : new Date(since);
  if (from !== null && (Number.isNaN(from.getTime()) || !/^\d{4}-\d{2}-\d{2}T.*(Z|[+-]\d{2}:?\d{2})$/.test(since!)))
    throw new ArchiveError(`--since ${since} is no moment: say it as 2026-11-28T03:00:00Z`);
  const { lost, until } = await findLostRedemptions({ pool, ...openCodeSource(config()) }, store, from);
  if (until === null)
    throw new ArchiveError(`nothing was exported to ${store.name}: is the place right? export-events --open exports`);
  for (const line of lost) console.log(JSON.stringify(line));
  console.error(
    `${lost.length} redemptions or reversals were lost, of what the archive knows: it reaches up to ${until}`,
  );
});
