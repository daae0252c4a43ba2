/**
 * The core's door with an assign and a redeem as flash sales do it in memory: one Lua script a request, which checks,
 * changes and appends to a stream. What it acknowledges is gone when Redis dies.
 */
export * from '../../../core/index.ts';

import { Redis } from 'ioredis';
import { refuse } from '../../../core/index.ts';
import { type Assign, assignedCoupon, type Redeem, redeemedCoupon } from './reference-answers.ts';

/** Requests of one turn of the event loop share a write to the socket, which is the best that Redis can get. */
const redis = new Redis(process.env.BENCH_REDIS_URL!, { enableAutoPipelining: true }) as Redis & Scripts;

interface Scripts {
  claim(stock: string, users: string, stream: string, user: string, most: number): Promise<number>;
  use(codes: string, used: string, stream: string, code: string, user: string): Promise<number>;
}

redis.defineCommand('claim', {
  numberOfKeys: 3,
  lua: `local left = tonumber(redis.call('GET', KEYS[1]) or '0')
    if left <= 0 then return -1 end
    if redis.call('HINCRBY', KEYS[2], ARGV[1], 1) > tonumber(ARGV[2]) then
      redis.call('HINCRBY', KEYS[2], ARGV[1], -1)
      return -2
    end
    redis.call('DECR', KEYS[1])
    redis.call('XADD', KEYS[3], '*', 'user', ARGV[1], 'code', left)
    return left`,
});
redis.defineCommand('use', {
  numberOfKeys: 3,
  lua: `if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return -1 end
    if redis.call('HSETNX', KEYS[2], ARGV[1], 1) == 0 then return -2 end
    redis.call('XADD', KEYS[3], '*', 'user', ARGV[2], 'code', ARGV[1])
    return 1`,
});

/** Takes one of the stock for the user, who may have so many. */
export const assignCoupon: Assign = async (_core, _caller, { bookId, userId }) => {
  const left = await redis.claim('stock', 'users', 'assigned', userId, 3);
  if (left < 0) throw refuse('no-codes-left', 'Every code of the book has been handed out or voided.');
  return { body: assignedCoupon(bookId, `BENCH-${String(left).padStart(10, '0')}`, userId), replayed: false };
};

/** Marks the user's code as used. */
export const redeemCoupon: Redeem = async (_core, _caller, code, { userId, reference }) => {
  const used = await redis.use('codes', 'used', 'redeemed', code, userId);
  if (used < 0) throw refuse('code-already-redeemed', 'The coupon has been redeemed.');
  return { body: redeemedCoupon(code, userId, reference), replayed: false };
};
