import {
  CreateDBSnapshotCommand,
  DeleteDBSnapshotCommand,
  paginateDescribeDBSnapshots,
  type RDSClient,
} from '@aws-sdk/client-rds';
import type { Snapshot } from './snapshot-rules.ts';
import { acceptError, madeByTag, type SnapshotStore } from './snapshot-store.ts';

/** The manual snapshots of one RDS instance. */
export function databaseSnapshots(rds: RDSClient, instance: string, prefix: string): SnapshotStore {
  return {
    what: 'database',
    holdsHints: false,
    list: async () => {
      const found: Snapshot[] = [];
      const request = { DBInstanceIdentifier: instance, SnapshotType: 'manual' };
      for await (const page of paginateDescribeDBSnapshots({ client: rds }, request)) {
        for (const snapshot of page.DBSnapshots ?? []) {
          const name = snapshot.DBSnapshotIdentifier ?? '';
          if (!name.startsWith(`${prefix}-`)) continue;
          found.push({
            name,
            createdMillis: snapshot.SnapshotCreateTime?.getTime() ?? null,
            available: snapshot.Status === 'available',
            tagged: (snapshot.TagList ?? []).some(({ Key, Value }) => Key === madeByTag && Value === prefix),
          });
        }
      }
      return found;
    },
    create: (name) =>
      acceptError('DBSnapshotAlreadyExistsFault', () =>
        rds.send(
          new CreateDBSnapshotCommand({
            DBInstanceIdentifier: instance,
            DBSnapshotIdentifier: name,
            Tags: [{ Key: madeByTag, Value: prefix }],
          }),
        ),
      ),
    remove: (name) =>
      acceptError('DBSnapshotNotFoundFault', () =>
        rds.send(new DeleteDBSnapshotCommand({ DBSnapshotIdentifier: name })),
      ),
  };
}
