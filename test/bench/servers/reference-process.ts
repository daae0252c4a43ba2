/**
 * A reference: the product's server with its hooks, authentication, schemas, log and metrics, in which assign and
 * redeem are other operations. It has no database. It ends when the channel to the bench closes.
 */
import { openThrottle } from '../../../core/throttling/open-throttle.ts';
import { replaceOperations } from './replace-operations.ts';

process.once('disconnect', () => process.exit(0));

const operations = { echo: './echo-operations.ts', redis: './redis-operations.ts' }[process.argv[2] ?? ''];
if (operations === undefined) throw new Error('say echo or redis');
replaceOperations(new URL(operations, import.meta.url));

// After the replacement, which works for what is imported from here on.
const { readConfig, systemClock, systemRandom } = await import('../../../core/index.ts');
const { buildApp } = await import('../../../containers/api/app.ts');
const { makeAuthenticate } = await import('../../../containers/api/auth/authentication.ts');
const { makeJwtVerifier } = await import('../../../containers/api/auth/jwt.ts');
const { openLog } = await import('../../../containers/api/observe/log.ts');
const { openMetrics } = await import('../../../containers/api/observe/metrics.ts');

const config = readConfig({ ...process.env, REDIS_URL: undefined, DATABASE_URL: 'postgres://nowhere/' });
const { log } = openLog(config.logLevel);
const core = {
  config,
  log,
  clock: systemClock,
  random: systemRandom,
  throttle: openThrottle({ redis: null, pool: null, clock: systemClock, log, config }),
  batches: { queueAgeMillis: () => 0, queueAgeOf: () => 0 },
};
const lookups = { authenticateKey: async () => null, findTenantId: async () => 1 };
const app = await buildApp(core as unknown as Parameters<typeof buildApp>[0], {
  log,
  metrics: openMetrics({ queueAgeMillis: () => 0 }),
  authenticate: makeAuthenticate(lookups, makeJwtVerifier(config.jwt, systemClock, log), systemClock),
});
await app.listen({ port: config.port, host: config.host });
