import type { Mutant } from './mutant-list.ts';

const delivery = 'test/integration/webhook-delivery.test.ts';
const turns = 'test/integration/webhook-turns.test.ts';
const retention = 'test/integration/webhook-retention.test.ts';
const addresses = 'test/integration/outbound-addresses.test.ts';
const example = 'test/package/webhook-receiver-example.test.ts';
const exampleFile = 'examples/webhook-receiver.ts';

/** What webhooks, and the files of jobs, rest on. */
export const webhookMutants: Mutant[] = [
  {
    takesOut: "the fence of an endpoint's lease (a process records what another one serves by now)",
    file: 'core/webhooks/delivery/record-results.ts',
    edits: [{ find: 'and fence = $3 returning', replace: 'and fence >= $3 returning' }],
    testFile: turns,
    caughtBy: 'a process that was frozen past its lease records nothing',
  },
  {
    takesOut: "the fence of an endpoint's release",
    file: 'core/webhooks/delivery/claim-endpoints.ts',
    edits: [
      {
        find: 'lease_until = null where tenant_id = $1 and webhook_id = $2 and fence = $3',
        replace: 'lease_until = null where tenant_id = $1 and webhook_id = $2 and fence >= $3',
      },
    ],
    testFile: turns,
    caughtBy: 'a process that was frozen past its lease records nothing',
  },
  {
    takesOut: 'the lease of an endpoint that another process serves',
    file: 'core/webhooks/delivery/claim-endpoints.ts',
    edits: [{ find: 'and coalesce(lease_until < clock_timestamp(), true)', replace: '' }],
    testFile: turns,
    caughtBy: 'of two processes that look at once, one serves an endpoint',
  },
  {
    takesOut: "the order of a coupon's events",
    file: 'core/webhooks/delivery/read-due.ts',
    edits: [{ find: 'and before.rev < d.rev', replace: 'and before.rev < 0' }],
    testFile: delivery,
    caughtBy: 'a coupon’s next event waits for the one before',
  },
  {
    takesOut: 'the moment up to which events are settled (webhooks are handed what is there)',
    file: 'core/webhooks/delivery/fan-out-events.ts',
    edits: [
      {
        find: '(select settled_until from settled_events) as settled',
        replace: '(select clock_timestamp() as settled_until) as settled',
      },
    ],
    testFile: turns,
    caughtBy: 'an event whose transaction stalls is told once it has ended',
  },
  {
    takesOut: 'the secret from what is signed',
    file: 'core/webhooks/sign-message.ts',
    edits: [{ find: "createHmac('sha256', key)", replace: "createHmac('sha256', 'key')" }],
    testFile: delivery,
    caughtBy: 'every event of a coupon is told, in order, signed',
  },
  {
    takesOut: 'the look at the addresses that a connection would lead to',
    file: 'core/outbound/open-connector.ts',
    edits: [
      {
        find: 'if (!addresses.every((address) => isAllowedAddress(address, allowLoopback))) throw new ForbiddenAddressError();',
        replace: '',
      },
    ],
    testFile: addresses,
    caughtBy: 'with one inner address among its addresses is refused as a whole',
  },
  {
    takesOut: 'the connection to the very address that was looked at',
    file: 'core/outbound/open-connector.ts',
    edits: [{ find: '{ ...options, hostname: address, ...(servername', replace: '{ ...options, ...(servername' }],
    testFile: addresses,
    caughtBy: 'leads to the address that was looked at, whatever its name leads to elsewhere',
  },
  {
    takesOut: 'the day on which both secrets sign',
    file: 'core/webhooks/rotate-secret.ts',
    edits: [{ find: 'const bothSignHours = 24;', replace: 'const bothSignHours = 0;' }],
    testFile: delivery,
    caughtBy: 'for 24 hours after a rotation both secrets sign',
  },
  {
    takesOut: 'the end of the former secret',
    file: 'core/webhooks/webhook-secrets.ts',
    edits: [{ find: 'and (signs_until is null or signs_until > clock_timestamp())', replace: '' }],
    testFile: delivery,
    caughtBy: 'for 24 hours after a rotation both secrets sign',
  },
  {
    takesOut: 'the month that is missing from a replay',
    file: 'core/webhooks/replay-webhook.ts',
    edits: [{ find: 'await refuseRemovedEvents(tx, tenantId, from, to);', replace: '' }],
    testFile: retention,
    caughtBy: 'is refused to a replay by name',
  },
  {
    takesOut: 'the month that was taken out of the events, and whose table is there still',
    file: 'core/webhooks/find-removed-months.ts',
    edits: [{ find: 'where relispartition and', replace: 'where' }],
    testFile: retention,
    caughtBy: 'whose table is there still, since the removal broke off, is refused',
  },
  {
    takesOut: 'what is said of a month that leaves in the middle of a replay',
    file: 'core/webhooks/delivery/replay-events.ts',
    edits: [{ find: 'await noteMissed(tx, stretch);', replace: '' }],
    testFile: retention,
    caughtBy: 'in the middle of a replay is missed by it',
  },
  {
    takesOut: 'the month that stays until webhooks were handed it',
    file: 'core/archive/drop-month.ts',
    edits: [{ find: 'await refuseUntold(pool, month);', replace: '' }],
    testFile: retention,
    caughtBy: 'stays until webhooks were handed all of its events',
  },
  {
    takesOut: 'the thirty days of a delivery (they are hours)',
    file: 'core/webhooks/delivery/purge-deliveries.ts',
    edits: [{ find: 'make_interval(days => $1) and oldest', replace: 'make_interval(hours => $1) and oldest' }],
    testFile: retention,
    caughtBy: 'are kept and shown for thirty days',
  },
  {
    takesOut: 'the pieces that a result must have to be whole',
    file: 'core/jobs/read-job-result.ts',
    edits: [{ find: '|| pieces.length < Math.min(left, piecesAtOnce)', replace: '' }],
    testFile: 'test/integration/jobs.test.ts',
    caughtBy: 'a result whose pieces go while it is read breaks off',
  },
  {
    takesOut: 'the look at the time of a message, in the example of a receiver',
    file: exampleFile,
    edits: [{ find: 'isSigned && Math.abs(Date.now() / 1_000 - Number(time)) < maxAgeSeconds', replace: 'isSigned' }],
    testFile: example,
    caughtBy: 'the example refuses a wrong signature',
  },
  {
    takesOut: 'the ids of what was taken, in the example of a receiver',
    file: exampleFile,
    edits: [{ find: 'taken.add(id);', replace: '' }],
    testFile: example,
    caughtBy: 'the example takes what is repeated',
  },
];
