import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { readConfig } from '../../core/config.ts';
import { knownVariables } from '../../core/lookalike-variables.ts';

const project = resolve(import.meta.dirname, '../..');
const page = readFileSync(join(project, 'docs/one-machine.md'), 'utf8');

/** The page's block of that name, without its fence. */
function block(name: string): string {
  const found = new RegExp(`<!-- ${name} -->\n\`\`\`\\w+\n([\\s\\S]*?)\`\`\`\n<!-- /${name} -->`).exec(page);
  if (found === null) throw new Error(`docs/one-machine.md has no block ${name}`);
  return found[1]!;
}

/** Nothing that `npm ci` brings: what the machine lacks is left out, and said. */
function whereInstalled(program: string): typeof describe | typeof describe.skip {
  const isThere = spawnSync('sh', ['-c', `command -v ${program}`]).status === 0;
  if (!isThere) process.stderr.write(`\nSKIPPED: this machine lacks ${program}.\n`);
  return isThere ? describe : describe.skip;
}

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'qurable-one-machine-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/one-machine.md', () => {
  test('names no setting that .env.example does not have', () => {
    const named = [...page.matchAll(/\b([A-Z]+(?:_[A-Z]+)+)\b/g)].map((match) => match[1]!);
    const foreign = [...new Set(named)].filter((name) => !knownVariables.includes(name) && name !== 'NODE_ENV');
    expect(foreign).toEqual([]);
    for (const needed of ['DATABASE_URL', 'REDIS_URL', 'CODE_SECRET', 'TRUSTED_PROXIES'])
      expect(named).toContain(needed);
  });

  test('gives settings that the API takes, with secrets of their own each time', () => {
    const script = block('settings').replaceAll('/etc/qurable.env', join(folder, 'qurable.env'));
    execFileSync('bash', ['-euo', 'pipefail', '-c', script]);
    const lines = readFileSync(join(folder, 'qurable.env'), 'utf8').trimEnd().split('\n');
    const settings = Object.fromEntries(lines.map((line) => line.split(/=(.*)/s).slice(0, 2)));
    const config = readConfig({ ...settings, PORT: '3001', METRICS_PORT: '13001' });
    expect(config).toMatchObject({ host: '127.0.0.1', trustedProxies: 1, jwt: { mode: 'secret' } });
    expect(config.adminKey).not.toBeNull();
  });

  test('starts programs that there are, and stops them no earlier than they are through', () => {
    for (const unit of ['qurable-migrate.service', 'qurable@.service']) {
      const program = /^ExecStart=\/opt\/qurable\/node_modules\/\.bin\/node (\S+)$/m.exec(block(unit))?.[1];
      expect(readFileSync(join(project, program!), 'utf8')).not.toBe('');
    }
    expect(Number(/^TimeoutStopSec=(\d+)$/m.exec(block('qurable@.service'))?.[1])).toBeGreaterThan(5 + 25);
  });
});

whereInstalled('systemd-analyze')('the units of docs/one-machine.md', () => {
  test('are units that systemd takes', () => {
    const units = ['qurable-migrate.service', 'qurable@.service'];
    for (const unit of units) writeFileSync(join(folder, unit), block(unit).replaceAll('/opt/qurable', project));
    const paths = units.map((unit) => join(folder, unit.replace('@.', '@3001.')));
    writeFileSync(paths[1]!, readFileSync(join(folder, 'qurable@.service')));
    const { stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', '--recursive-errors=no', ...paths], {
      encoding: 'utf8',
    });
    expect(stderr.split('\n').filter((line) => line.includes('qurable'))).toEqual([]);
  });
});

whereInstalled('nginx')('the sample for nginx of docs/one-machine.md', () => {
  test('is a configuration that nginx takes', () => {
    const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-subj', '/CN=coupons.example', '-keyout', key];
    execFileSync('openssl', [...request, '-out', certificate], { stdio: 'ignore' });
    const sample = block('nginx')
      .replace('/etc/letsencrypt/live/coupons.example/fullchain.pem', certificate)
      .replace('/etc/letsencrypt/live/coupons.example/privkey.pem', key);
    mkdirSync(join(folder, 'logs'), { recursive: true });
    writeFileSync(
      join(folder, 'nginx.conf'),
      `pid ${folder}/nginx.pid;\nerror_log stderr;\nevents {}\nhttp {\naccess_log off;\n${sample}}\n`,
    );
    const run = spawnSync('nginx', ['-t', '-p', folder, '-c', join(folder, 'nginx.conf')], { encoding: 'utf8' });
    expect([run.status, run.stderr.match(/\[(?:warn|emerg|error)\].*/g)]).toEqual([0, null]);
  });
});
