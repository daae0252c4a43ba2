import { execFile } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';
import { ApiClient } from '../support/api-client.ts';
import { testSecrets } from '../support/open-test-core.ts';
import { type ApiProcess, startApiProcess } from '../support/start-api-processes.ts';
import { createTestDatabase, type TestDatabase } from '../support/start-postgres.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const run = promisify(execFile);
const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { scripts: Record<string, string> };
/** The scripts that the README names: after `npm run`, and in its table by their names alone. */
const namedScripts = [
  ...readme.matchAll(/npm run ([a-z:-]+)/g),
  ...readme.matchAll(/`([a-z]+-events|reconcile|smoke|watch)\b/g),
]
  .map((match) => match[1]!)
  .filter((name, at, all) => all.indexOf(name) === at);

/** Scripts that need no run of their own, with what runs the same. */
const runByAnother = {
  check: 'npm test begins with it',
  lint: 'npm test begins with it',
  format: 'lint finds whatever it would change',
  'test:days': 'test:long ends with it',
};
const escaped = (text: string) => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');

describe('what the documentation shows', () => {
  let database: TestDatabase;
  let api: ApiProcess;
  let folder: string;

  beforeAll(async () => {
    database = await createTestDatabase('readme');
    // As `npm start` has it (embedded-start.test.ts).
    api = await startApiProcess(database.url, { WEBHOOK_ALLOW_LOOPBACK: 'true' });
    folder = mkdtempSync(join(tmpdir(), 'qurable-readme-'));
    mkdirSync(join(folder, '.qurable'));
    symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
    const { QURABLE_ADMIN_KEY } = testSecrets;
    writeFileSync(join(folder, '.qurable/secrets.json'), JSON.stringify({ QURABLE_ADMIN_KEY }));
  });
  afterAll(async () => {
    await api.stop();
    await database.drop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** Node 24 first on the PATH, as a newcomer's `node` may be any. */
  const environment = () => ({ ...process.env, PATH: `${dirname(process.execPath)}:${process.env.PATH}` });

  test('the tour, pasted, makes a book and codes, redeems one once, uploads two, brings a public code, and receives a webhook', async () => {
    const blocks = [...readme.matchAll(/<!-- tour -->\n```sh\n([\s\S]*?)```/g)].map((match) => match[1]!);
    expect(blocks).toHaveLength(4);
    const script = blocks
      .join('\n')
      .replace('http://127.0.0.1:3000', api.address)
      .replaceAll('8080', String(await findFreePort()));
    expect(script).toContain(api.address);
    const { stdout } = await run('bash', ['-euo', 'pipefail', '-c', script], { cwd: folder, env: environment() });
    // A prompt that stands behind the last answer looks like a part of it.
    expect(stdout).toMatch(/\}\n$/);
    const [generated, redeemed, refused, uploaded, open, everybody, told, received] = stdout
      .trim()
      .split('\n')
      .map((json) => JSON.parse(json));
    expect(generated).toMatchObject({ count: 1_000_000, pattern: 'SUN-#####-#####', guessOdds: 1_100_000_000 });
    expect(redeemed).toMatchObject({ status: 'redeemed', redemption: { reference: 'order-1' } });
    expect(refused).toMatchObject({ kind: 'code-already-redeemed', status: 409 });
    expect(uploaded).toMatchObject({ accepted: 2, rejected: 0 });
    expect(open).toMatchObject({ publicCode: 'SUMMER20', status: 'active' });
    expect(everybody).toMatchObject({ publicCode: 'SUMMER20', userId: 'bob', status: 'redeemed' });
    expect(told).toMatchObject({ publicCode: 'SUMMER20', userId: 'cleo' });
    expect(received).toMatchObject({ type: 'coupon.redeemed', data: { code: told.code, userId: 'cleo' } });
    const { body } = await new ApiClient([api.address]).call('GET', '/v1/webhooks');
    expect(body.data).toEqual([]);
  });

  test('the example checkout locks, redeems and gives back', async () => {
    const client = new ApiClient([api.address]);
    const { body } = await client.post('/v1/books', { name: 'Example', status: 'active' });
    await client.post(`/v1/books/${body.id}/codes/generate`, { count: 1000, pattern: 'EX-########' });
    const env = { ...environment(), API: api.address, KEY: testSecrets.QURABLE_ADMIN_KEY, BOOK: body.id };
    const { stdout } = await run(process.execPath, [join(root, 'examples/checkout.ts')], { env });
    expect(stdout).toMatch(/coupon is free again\nredeemed EX-\w+\ncancelled, and the redemption is given back/);
  });

  test('every script and file that the README names is there', () => {
    expect(Object.keys(scripts)).toEqual(expect.arrayContaining(namedScripts));
    for (const [, path] of readme.matchAll(/\]\(([\w./-]+)\)/g)) {
      expect(() => readFileSync(join(root, path!))).not.toThrow();
    }
  });

  test('every script that the README names is run by a test or by CI, itself or the program behind it', () => {
    const ci = ['.ci/run', '.github/workflows/*.yml', '.github/scripts/*'];
    // Those two name scripts and run none.
    const tests = { cwd: root, exclude: ['test/package/readme.test.ts', 'test/package/workflows.test.ts'] };
    const places = [...ci, 'test/**/*.test.ts', 'test/run.ts', 'test/package/*.ts'].flatMap((pattern) =>
      globSync(pattern, tests).map((path) => readFileSync(join(root, path), 'utf8')),
    );
    const isRun = (name: string) => {
      const program = scripts[name]!.split(' ').find((word) => /^(core|operations|test)\/.*\.ts$/.test(word));
      const texts = [
        `npm run ${name}`,
        `runScript('${name}'`,
        `runNpm('${name}'`,
        `'run', '--silent', '${name}'`,
        program ?? `'${name}'`,
      ];
      return places.some((place) => texts.some((text) => new RegExp(`${escaped(text)}(?![:-])`).test(place)));
    };
    expect(namedScripts.filter((name) => !isRun(name) && !(name in runByAnother))).toEqual([]);
  });
});
