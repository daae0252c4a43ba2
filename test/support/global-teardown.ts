import './global-setup.ts';

/** Jest's global teardown: the run's PostgreSQL, its data and its folder are gone when it resolves. */
export default async function tearDownTestRun(): Promise<void> {
  await globalThis.qurableTestRun?.postgres.stop();
  globalThis.qurableTestRun?.folder.remove();
}
