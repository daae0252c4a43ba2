import { failuresKey } from '../redis/keys.ts';
import type { RedisConnection } from '../redis/open-redis.ts';
import { costOf, depthOf, type Failures } from './failure-rules.ts';
import type { FailureMark, FailureSide } from './failure-side.ts';
import { failureBudgets } from './throttle-limits.ts';

/**
 * addFailures in Lua, one key a call, so that it also works in a cluster. The whole script is sent each time: it is
 * short, and a restart of Redis can't forget it. KEYS[1] is the key. ARGV: now, known emptyAt, known lastAt, cost,
 * depth (which is the key's lifetime too). Numbers are whole milliseconds, exact in Lua's doubles.
 */
const addScript = `
local now = tonumber(ARGV[1])
local stored = redis.call('HMGET', KEYS[1], 'empty', 'last')
local from = math.max(now, tonumber(ARGV[2]), tonumber(stored[1] or '0'))
local empty = math.min(from + tonumber(ARGV[4]), now + tonumber(ARGV[5]))
local last = math.max(now, tonumber(ARGV[3]), tonumber(stored[2] or '0'))
redis.call('HSET', KEYS[1], 'empty', string.format('%.0f', empty), 'last', string.format('%.0f', last))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', ARGV[5]))
return {empty, last}`;

/**
 * Failures in Redis: one round trip for any number of marks. Rejects within the connection's command timeout, and at
 * once while Redis is away. A key expires once its bucket is empty for certain.
 */
export function redisFailures(redis: RedisConnection): FailureSide {
  return {
    name: 'redis',
    record: (marks, now) =>
      redis.command(async (client) => {
        const pipeline = client.pipeline();
        for (const mark of marks) pipeline.eval(addScript, 1, ...argumentsOf(mark, now));
        const replies = await pipeline.exec();
        return marks.map((_mark, index) => readReply(replies?.[index]));
      }),
  };
}

function argumentsOf(mark: FailureMark, now: number): (string | number)[] {
  const budget = failureBudgets[mark.kind];
  const { name, ttlMillis } = failuresKey(mark.tenantId, mark.keyHash, depthOf(budget));
  return [name, now, mark.known?.emptyAt ?? 0, mark.known?.lastAt ?? 0, costOf(mark.count, budget), ttlMillis];
}

function readReply(reply: [Error | null, unknown] | undefined): Failures {
  if (reply === undefined) throw new Error('Redis left a command without a reply');
  const [error, value] = reply;
  if (error !== null) throw error;
  if (!Array.isArray(value) || value.length !== 2) throw new Error('Redis gave a reply of an unknown form');
  return { emptyAt: Number(value[0]), lastAt: Number(value[1]) };
}
