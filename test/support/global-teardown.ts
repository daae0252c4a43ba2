import './global-setup.ts';

/** Jest's global teardown: the run's PostgreSQL and its data are gone when it resolves. */
export default async function tearDownTestRun(): Promise<void> {
  await globalThis.qurableTestPostgres?.stop();
}
