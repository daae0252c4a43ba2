/**
 * How the bench's PostgreSQL is set: durable, and sized like the production stage's, whose parameter group is
 * resources/database.yml. Everything else is PostgreSQL's default.
 */
export const postgresSettings = {
  fsync: 'on',
  full_page_writes: 'on',
  synchronous_commit: 'on',
  shared_buffers: '1GB',
  max_wal_size: '16GB',
  checkpoint_timeout: '15min',
};
