import { expect, test } from '@jest/globals';
import { startBackground } from '../../core/background.ts';
import { closeCore, openCore } from '../../core/index.ts';
import type { Log } from '../../core/log.ts';
import { testConfig } from '../support/open-test-core.ts';
import { createTestDatabase } from '../support/start-postgres.ts';

test('background tasks of a process with few connections do their pieces over the one that they share', async () => {
  const database = await createTestDatabase('background_one');
  const warnings: unknown[] = [];
  const log: Log = {
    info: () => {},
    error: (fields) => warnings.push(fields),
    warn: (fields) => warnings.push(fields),
  };
  const core = await openCore(testConfig(database.url, { DB_POOL_MAX: '4' }), { log });
  try {
    expect(core.backgroundPool.options.max).toBe(1);
    let taken = 0;
    core.backgroundPool.on('acquire', () => {
      taken += 1;
    });
    const running = startBackground(core);
    while (taken === 0 || core.backgroundPool.waitingCount > 0) await new Promise((tick) => setTimeout(tick, 20));
    // It waits for the pieces under way: one that asked for a second connection would never end.
    await running.close();
    expect(core.backgroundPool.idleCount).toBe(1);
    expect(warnings).toEqual([]);
  } finally {
    await closeCore(core);
    await database.drop();
  }
});
