import { execFile, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { requireOrSkip } from '../support/require-or-skip.ts';

const project = resolve(import.meta.dirname, '../..');
const folder = join(project, '.github/workflows');
const run = promisify(execFile);

interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  if?: string;
}
interface Job {
  needs?: string | string[];
  uses?: string;
  environment?: string;
  concurrency?: { 'cancel-in-progress': boolean };
  steps?: Step[];
}
interface Workflow {
  permissions: Record<string, string>;
  jobs: Record<string, Job>;
}

const texts = Object.fromEntries(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
const workflows = Object.fromEntries(Object.entries(texts).map(([name, text]) => [name, parse(text) as Workflow]));
const allJobs = Object.values(workflows).flatMap(({ jobs }) => Object.values(jobs));
const allSteps = allJobs.flatMap(({ steps = [] }) => steps);
const needsOf = (job: Job | undefined) => [job?.needs ?? []].flat();

describe('the pipeline', () => {
  test('pins every action to a commit, and names its version for people', () => {
    for (const text of Object.values(texts)) {
      for (const [line] of text.matchAll(/uses: (?!\.\/).*/g)) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
    }
    for (const { uses } of allJobs) if (uses !== undefined) expect(existsSync(join(project, uses))).toBe(true);
  });

  test('holds no key: it asks for a role by GitHub’s identity', () => {
    for (const text of Object.values(texts)) {
      expect(text).not.toMatch(/secrets\.|access-key|AKIA/i);
    }
    const credentials = allSteps.filter(({ uses }) => uses?.startsWith('aws-actions/configure-aws-credentials'));
    expect(JSON.stringify(credentials).match(/role-to-assume/g)).toHaveLength(3);
    for (const { permissions } of Object.values(workflows)) expect(permissions.contents).toBe('read');
  });

  test('goes from test to build to dev to prod, and through LocalStack', () => {
    const { jobs } = workflows['deploy.yml']!;
    expect(needsOf(jobs.build)).toEqual(['test', 'localstack']);
    expect(needsOf(jobs.dev)).toEqual(['build']);
    expect(needsOf(jobs.prod)).toEqual(['dev']);
    expect(jobs.localstack?.steps?.some((step) => step.run === 'npm run test:localstack')).toBe(true);
  });

  test('takes a snapshot, deploys, looks, and goes back where it does not like what it sees', () => {
    const { deploy } = workflows['deploy-stage.yml']!.jobs;
    const names = deploy?.steps?.map(({ name }) => name).filter((name) => name !== undefined);
    expect(names).toEqual(['Note the version to go back to', 'Snapshot', 'Deploy', 'Smoke test', 'Roll back']);
    expect(deploy?.steps?.at(-1)).toMatchObject({
      if: expect.stringContaining("failure() && steps.smoke.outcome == 'failure'"),
      run: expect.stringContaining('sls rollback'),
    });
  });

  test('never deploys a stage twice at a time, nor breaks a deployment off', () => {
    for (const name of ['deploy-stage.yml', 'rollback.yml']) {
      for (const job of Object.values(workflows[name]!.jobs)) {
        expect(job.concurrency?.['cancel-in-progress']).toBe(false);
        expect(job.environment).toBeDefined();
      }
    }
  });

  test('runs scripts that are there and can be run', () => {
    const named = Object.values(texts).flatMap((text) =>
      [...text.matchAll(/\.github\/scripts\/[a-z-]+\.sh/g)].map(String),
    );
    expect(new Set(named).size).toBe(4);
    for (const name of named) {
      expect(statSync(join(project, name)).mode & 0o111).not.toBe(0);
      expect(spawnSync('bash', ['-n', join(project, name)]).status).toBe(0);
    }
  });
});

const describeWithCurl = requireOrSkip('curl', !spawnSync('curl', ['--version']).error);

describeWithCurl('the smoke test', () => {
  const smokeTest = (address: string) =>
    run(join(project, '.github/scripts/smoke-test.sh'), ['dev', address], {
      env: { ...process.env, PAUSE: '0', TRIES: '2' },
    });

  /** An API that answers each path with the status given, and 200 otherwise. */
  async function withStatuses<T>(statuses: Record<string, number>, work: (address: string) => Promise<T>): Promise<T> {
    const server = createServer((request, response) => {
      response.writeHead(statuses[request.url ?? ''] ?? 200).end();
    });
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    try {
      return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    } finally {
      server.close();
    }
  }

  test('passes on an API that lives and lets nobody in', async () => {
    await withStatuses({ '/v1/books': 401 }, async (address) => {
      expect((await smokeTest(address)).stdout).toContain('lives');
    });
  });

  test('fails on an API that is not ready, or that lets everybody in', async () => {
    await withStatuses({ '/v1/books': 401, '/ready': 503 }, async (address) => {
      await expect(smokeTest(address)).rejects.toMatchObject({ stderr: expect.stringContaining('/ready answers 503') });
    });
    await withStatuses({}, async (address) => {
      await expect(smokeTest(address)).rejects.toMatchObject({
        stderr: expect.stringContaining('/v1/books answers 200'),
      });
    });
  });
});
