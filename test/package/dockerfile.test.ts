import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';

const project = resolve(import.meta.dirname, '../..');
const dockerfile = join(project, 'containers/api/Dockerfile');
const { imageTag } = createRequire(import.meta.url)('../../resources/image-tag.cjs') as {
  imageTag: (directory: string, cpuArchitecture?: string) => string;
};

const entriesOf = (file: string) =>
  readFileSync(join(project, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));

describe('the Dockerfile', () => {
  test('gives a linter nothing to say, but for bases whose tag is in their parameter', () => {
    const linter = join(project, 'node_modules/dockerfilelint/bin/dockerfilelint');
    const run = spawnSync(process.execPath, [linter, '-o', 'json', dockerfile], { encoding: 'utf8' });
    const { files } = JSON.parse(run.stdout) as { files: { issues: { content: string; title: string }[] }[] };
    const issues = files.flatMap(({ issues }) => issues);
    expect(issues.map(({ content, title }) => `${title}: ${content}`)).toEqual([
      // biome-ignore-start lint/suspicious/noTemplateCurlyInString: the Dockerfile's own syntax
      'Base Image Missing Tag: FROM --platform=$BUILDPLATFORM ${BASE} AS packages',
      'Base Image Missing Tag: FROM --platform=$BUILDPLATFORM ${BASE} AS console',
      'Base Image Missing Tag: FROM ${BASE}',
      // biome-ignore-end lint/suspicious/noTemplateCurlyInString: the Dockerfile's own syntax
    ]);
    expect(readFileSync(dockerfile, 'utf8')).toMatch(/^ARG BASE=node:24\.\d+\.\d+-bookworm-slim$/m);
  });

  test('is given the same files by builders that look beside it for what to ignore and by those that do not', () => {
    expect(entriesOf('.dockerignore')).toEqual(entriesOf('containers/api/Dockerfile.dockerignore'));
    expect(entriesOf('.dockerignore')[0]).toBe('*');
  });
});

describe('the image’s tag', () => {
  test('changes with every file that the image is made of, and with no other', () => {
    const copy = mkdtempSync(join(tmpdir(), 'qurable-tag-'));
    try {
      const parts = entriesOf('.dockerignore')
        .filter((line) => line.startsWith('!'))
        .map((line) => line.slice(1));
      for (const part of parts) cpSync(join(project, part), join(copy, part), { recursive: true });
      const tag = imageTag(copy);
      expect(tag).toBe(imageTag(project));
      expect(tag).toMatch(/^[0-9a-f]{24}-arm64$/);
      expect(imageTag(copy, 'X86_64')).toBe(tag.replace('arm64', 'amd64'));
      writeFileSync(join(copy, 'README.md'), 'Another one.');
      expect(imageTag(copy)).toBe(tag);
      const seen = new Set([tag]);
      for (const file of [
        'package-lock.json',
        'core/limits.ts',
        'containers/api/main.ts',
        'containers/console/main.tsx',
        'migrations/0002_more.sql',
      ]) {
        writeFileSync(join(copy, file), '-- Changed.');
        seen.add(imageTag(copy));
      }
      expect(seen.size).toBe(6);
      mkdirSync(join(copy, 'containers/console/dist'), { recursive: true });
      writeFileSync(join(copy, 'containers/console/dist/index.html'), 'What was built of it, some time.');
      expect(seen).toContain(imageTag(copy));
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
});

describe('the script that pushes the image', () => {
  const digest = `sha256:${'d'.repeat(64)}`;

  /** Runs it with programs in the place of docker and aws that write down what they are asked. */
  function pushImage(isThere: boolean) {
    const folder = mkdtempSync(join(tmpdir(), 'qurable-push-'));
    const log = join(folder, 'log');
    const program = (name: string, lines: string[]) =>
      writeFileSync(join(folder, name), ['#!/bin/sh', `echo "${name} $*" >> "${log}"`, ...lines].join('\n'), {
        mode: 0o755,
      });
    program('docker', [`case "$*" in *inspect*) echo "node@${digest}" ;; *login*) cat >/dev/null ;; esac`]);
    program('aws', [
      `case "$*" in *describe-images*) exit ${isThere ? 0 : 1} ;; *describe-repositories*) echo registry.example/qurable-api ;; esac`,
    ]);
    try {
      const env = { PATH: `${folder}:${dirname(process.execPath)}:${process.env.PATH}`, HOME: folder };
      const run = spawnSync(join(project, '.github/scripts/push-image.sh'), ['ARM64'], { env, encoding: 'utf8' });
      return { status: run.status, stdout: run.stdout, asked: readFileSync(log, 'utf8').trim().split('\n') };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  test('builds both stages on one base, by its digest, which the image names', () => {
    const { status, asked } = pushImage(false);
    expect(status).toBe(0);
    const build = asked.find((line) => line.startsWith('docker build'));
    expect(build).toContain('--platform linux/arm64');
    expect(build).toContain(`--build-arg BASE=node@${digest}`);
    expect(build).toContain(`--label org.opencontainers.image.base.digest=${digest}`);
    expect(build).toMatch(/base\.name=node:24\.\d+\.\d+-bookworm-slim/);
    const tag = `registry.example/qurable-api:${imageTag(project, 'ARM64')}`;
    expect(build).toContain(`--tag ${tag}`);
    expect(asked.at(-1)).toBe(`docker push ${tag}`);
  });

  test('builds nothing that is in the registry', () => {
    const { status, stdout, asked } = pushImage(true);
    expect([status, asked.some((line) => line.startsWith('docker'))]).toEqual([0, false]);
    expect(stdout).toContain('is in the registry');
  });
});
