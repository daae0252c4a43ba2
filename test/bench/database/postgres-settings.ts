import { totalmem } from 'node:os';

const megabytes = 2 ** 20;

/** What this process may use, which in a container is less than the machine's; 0 stands for no limit. */
const memory = Math.min(totalmem(), process.constrainedMemory() || Number.POSITIVE_INFINITY);

/**
 * In MB: a quarter of the memory, PostgreSQL's rule of thumb and what RDS gives a class unless it is told otherwise.
 * See https://www.postgresql.org/docs/15/runtime-config-resource.html
 */
export const sharedBuffersMb = Math.max(128, Math.floor(memory / 4 / megabytes));

/**
 * How the bench's PostgreSQL is set: durable, with the production stage's checkpoints (resources/database.yml) and as
 * much of this machine's memory as the stage's has of its own. Everything else is PostgreSQL's default.
 */
export const postgresSettings = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: `${sharedBuffersMb}MB`,
  max_wal_size: '16GB',
  checkpoint_timeout: '15min',
};
