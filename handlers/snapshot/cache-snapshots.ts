import {
  CreateSnapshotCommand,
  DeleteSnapshotCommand,
  DescribeReplicationGroupsCommand,
  type ElastiCacheClient,
  ListTagsForResourceCommand,
  paginateDescribeSnapshots,
} from '@aws-sdk/client-elasticache';
import type { Snapshot } from './snapshot-rules.ts';
import { acceptError, madeByTag, type SnapshotStore } from './snapshot-store.ts';

/** The manual snapshots of one ElastiCache replication group. */
export function cacheSnapshots(elastiCache: ElastiCacheClient, group: string, prefix: string): SnapshotStore {
  return {
    what: 'cache',
    holdsHints: true,
    list: async () => {
      const found: Snapshot[] = [];
      // Not by node: after a failover earlier snapshots belong to another node than later ones.
      for await (const page of paginateDescribeSnapshots({ client: elastiCache }, { SnapshotSource: 'user' })) {
        for (const snapshot of page.Snapshots ?? []) {
          const name = snapshot.SnapshotName ?? '';
          if (!name.startsWith(`${prefix}-`)) continue;
          found.push({
            name,
            createdMillis: snapshot.NodeSnapshots?.[0]?.SnapshotCreateTime?.getTime() ?? dateInName(name),
            available: snapshot.SnapshotStatus === 'available',
            tagged: await isTagged(elastiCache, snapshot.ARN, prefix),
          });
        }
      }
      return found;
    },
    create: async (name) => {
      const source = await chooseSource(elastiCache, group);
      const tags = [{ Key: madeByTag, Value: prefix }];
      await acceptError('SnapshotAlreadyExistsFault', () =>
        elastiCache.send(new CreateSnapshotCommand({ SnapshotName: name, Tags: tags, ...source })),
      );
    },
    remove: (name) =>
      acceptError('SnapshotNotFoundFault', () => elastiCache.send(new DeleteSnapshotCommand({ SnapshotName: name }))),
  };
}

/**
 * Chooses what is copied: a group in cluster mode as a whole, any other through a replica, so that the primary doesn't
 * fork while it serves requests.
 */
async function chooseSource(
  elastiCache: ElastiCacheClient,
  group: string,
): Promise<{ ReplicationGroupId: string } | { CacheClusterId: string }> {
  const answer = await elastiCache.send(new DescribeReplicationGroupsCommand({ ReplicationGroupId: group }));
  const found = answer.ReplicationGroups?.[0];
  if (found?.ClusterEnabled === true) return { ReplicationGroupId: group };
  const members = found?.NodeGroups?.flatMap((nodes) => nodes.NodeGroupMembers ?? []) ?? [];
  const node = members.find((member) => member.CurrentRole === 'replica') ?? members[0];
  if (node?.CacheClusterId === undefined) throw new Error(`the replication group ${group} has no node to copy`);
  return { CacheClusterId: node.CacheClusterId };
}

async function isTagged(elastiCache: ElastiCacheClient, arn: string | undefined, prefix: string): Promise<boolean> {
  if (arn === undefined) return false;
  const answer = await elastiCache.send(new ListTagsForResourceCommand({ ResourceName: arn }));
  return (answer.TagList ?? []).some(({ Key, Value }) => Key === madeByTag && Value === prefix);
}

/** The day in a snapshot's name, used while AWS gives no time for it; null: not a name of ours. */
function dateInName(name: string): number | null {
  const digits = /-(\d{4})(\d{2})(\d{2})-[a-z0-9]+$/.exec(name);
  const millis = digits === null ? Number.NaN : Date.parse(`${digits[1]}-${digits[2]}-${digits[3]}T00:00:00Z`);
  return Number.isNaN(millis) ? null : millis;
}
