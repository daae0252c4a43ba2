import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

const project = resolve(import.meta.dirname, '../..');
const readJson = (file: string) => JSON.parse(readFileSync(join(project, file), 'utf8'));

type Locked = { version: string; dev?: boolean; optional?: boolean };

test('npm ci --omit=dev installs the Node that npm start needs, and the image leaves it out', () => {
  const { dependencies, engines } = readJson('package.json') as Record<string, Record<string, string>>;
  const lock = readJson('package-lock.json') as { packages: Record<string, Locked> };
  const { version, dev, optional } = lock.packages['node_modules/node']!;
  expect([dependencies!.node, dev, optional]).toEqual([version, undefined, undefined]);
  expect(version).toMatch(/^24\./);
  expect((lock.packages[''] as unknown as { engines: object }).engines).toEqual(engines);
  expect(readFileSync(join(project, 'containers/api/Dockerfile'), 'utf8')).toMatch(/rm -rf .*node_modules\/node /);
});
