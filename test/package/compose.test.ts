import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { beforeAll, describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { readConfig } from '../../core/config.ts';

type Service = {
  image: string;
  build?: { context: string; dockerfile: string };
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

  test('pins every image that it does not build to a full version', () => {
    const fetched = services.filter(([, { build }]) => build === undefined);
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
