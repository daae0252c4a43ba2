import { execFile } from 'node:child_process';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from '@jest/globals';
import { createTestDatabase } from '../support/start-postgres.ts';

const project = resolve(import.meta.dirname, '../..');
const run = promisify(execFile);

test('the dry run of a distribution names every table with its place and keys, and what Citus would refuse', async () => {
  const database = await createTestDatabase('distribute');
  try {
    const program = join(project, 'operations/distribute/distribute-command.ts');
    const env = { ...process.env, DATABASE_URL: database.url };
    const { stdout } = await run(process.execPath, [program, '--dry-run'], { env });
    const lines = stdout.trim().split('\n');
    expect(lines.length).toBeGreaterThan(15);
    for (const line of [
      /^coupons +distributed by tenant_id +\(.*tenant_id.*\)$/m,
      /^events +distributed by tenant_id/m,
      /^api_keys +distributed by tenant_id .*to be changed: unique \(key_id\) must hold tenant_id/m,
      /^tenants +reference/m,
      /^failed_lookups +local/m,
    ]) {
      expect(stdout).toMatch(line);
    }
    expect(stdout).not.toMatch(/^events_\d/m);
    await expect(run(process.execPath, [program], { env })).rejects.toMatchObject({ code: 2 });
  } finally {
    await database.drop();
  }
});
