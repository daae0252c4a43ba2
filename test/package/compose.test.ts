import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readConfig } from '../../core/config.ts';

type Service = {
  image: string;
  build?: { context: string; dockerfile: string };
  pull_policy?: string;
  command?: string[];
  restart: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  healthcheck?: { test: string[] };
  depends_on?: Record<string, { condition: string }>;
};
type Compose = { services: Record<string, Service>; volumes: Record<string, null> };

const directory = resolve(import.meta.dirname, '../../containers/local');
let compose: Compose;
let services: [string, Service][];

beforeAll(() => {
  compose = parse(readFileSync(join(directory, 'compose.yaml'), 'utf8'), { merge: true });
  services = Object.entries(compose.services);
});

describe('containers/local/compose.yaml', () => {
  test('starts PostgreSQL 15, Redis 7, LocalStack 4.14.0 and the API, and migrates once', () => {
    expect(Object.keys(compose.services).sort()).toEqual(['api', 'localstack', 'migrate', 'postgres', 'redis']);
    expect(compose.services.postgres?.image).toMatch(/^postgres:15\./);
    expect(compose.services.redis?.image).toMatch(/^redis:7\./);
    expect(compose.services.localstack?.image).toBe('localstack/localstack:4.14.0');
    expect(compose.services.migrate?.restart).toBe('no');
  });

  test('builds each image in one service, and pulls it in no other, which would be in its way', () => {
    const built = services.filter(([, { build }]) => build !== undefined);
    expect(built.map(([name, { image }]) => [name, image])).toEqual([['migrate', 'qurable-api:local']]);
    const others = services.filter(([, { build, image }]) => build === undefined && image === 'qurable-api:local');
    expect(others.map(([name, { pull_policy }]) => [name, pull_policy])).toEqual([['api', 'never']]);
    // Whoever starts the API starts what builds its image, too.
    for (const [, { depends_on = {} }] of others) expect(Object.keys(depends_on)).toContain('migrate');
  });

  test('gives Redis the policy of the deployment’s cache, and no file', () => {
    const cache = readFileSync(resolve(import.meta.dirname, '../../resources/cache.yml'), 'utf8');
    const policy = /maxmemory-policy: (\S+)/.exec(cache)?.[1];
    const { command = [] } = compose.services.redis ?? {};
    expect(command[command.indexOf('--maxmemory-policy') + 1]).toBe(policy);
    expect(command.join(' ')).toContain('--appendonly no');
  });

  test('pins every image that it does not build to a full version', () => {
    const ownImages = services.flatMap(([, { build, image }]) => (build === undefined ? [] : [image]));
    const fetched = services.filter(([, { image }]) => !ownImages.includes(image));
    for (const [, { image }] of fetched) expect(image).toMatch(/^[a-z/]+:\d+\.\d+(\.\d+)?(-[a-z]+)?$/);
  });

  test('publishes ports on 127.0.0.1 only', () => {
    const ports = services.flatMap(([, { ports }]) => ports ?? []);
    expect(ports.length).toBeGreaterThan(0);
    for (const port of ports) expect(port).toMatch(/^127\.0\.0\.1:/);
  });

  test('waits for the health of what it needs, and for the migrations to succeed', () => {
    for (const [name, { depends_on = {} }] of services) {
      for (const [needed, { condition }] of Object.entries(depends_on)) {
        const isOneShot = compose.services[needed]?.restart === 'no';
        expect([name, needed, condition]).toEqual([
          name,
          needed,
          isOneShot ? 'service_completed_successfully' : 'service_healthy',
        ]);
        if (!isOneShot) expect(compose.services[needed]?.healthcheck?.test[0]).toBe('CMD');
      }
    }
    expect(Object.keys(compose.services.api?.depends_on ?? {}).sort()).toEqual(['migrate', 'postgres', 'redis']);
  });

  test('declares every volume that it mounts', () => {
    const mounted = services.flatMap(([, { volumes }]) => volumes ?? []).map((volume) => volume.split(':')[0]);
    expect(mounted.sort()).toEqual(Object.keys(compose.volumes).sort());
  });

  test('gives the API a configuration that it accepts, and holds no secret itself', () => {
    const environment = compose.services.api?.environment ?? {};
    const secrets = ['DB_PASSWORD', 'JWT_SECRET', 'CODE_SECRET', 'QURABLE_ADMIN_KEY'];
    for (const name of secrets) expect(environment[name]).toBe(`\${${name}:?set it in .env}`);
    const given = Object.fromEntries(secrets.map((name) => [name, `qk_${'x'.repeat(40)}`]));
    const config = readConfig(
      Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, substitute(value, given)])),
    );
    expect(config).toMatchObject({
      port: 3000,
      database: { host: 'postgres', password: given.DB_PASSWORD },
      redis: { host: 'redis' },
    });
  });

  test('builds from a Dockerfile and runs commands that are there', () => {
    for (const [, { build, command = [] }] of services.filter(([, { build }]) => build !== undefined)) {
      const context = resolve(directory, build!.context);
      expect(existsSync(join(context, build!.dockerfile))).toBe(true);
      for (const file of command.filter((word) => word.endsWith('.ts')))
        expect(existsSync(join(context, file))).toBe(true);
    }
  });
});

/** Does with `${NAME:?message}` and `${NAME:-default}` what Docker Compose does. */
function substitute(text: string, given: Record<string, string>): string {
  return text.replaceAll(
    /\$\{(\w+):([?-])([^}]*)\}/g,
    (_, name, kind, word) => given[name] ?? (kind === '-' ? word : ''),
  );
}
