import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isOnPath } from '../support/is-on-path.ts';
import { allIfLong } from '../support/long-run.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { changesOfDev, twoSetCases } from './packaged-stages.ts';
import { optionsOfProd, packageStage, packagingMillis, trialOfProd } from './packaged-template.ts';

const resources = resolve(import.meta.dirname, '../../resources');
/** Stacks of their own, which are deployed as they are. */
const ownStacks = ['registry', 'budget', 'transaction-search', 'pipeline', 'pipeline-stage'];

/**
 * What is packaged for the linter. Dev, dev with what can be added to it, and prod with all of its options and a second
 * set of tasks have each resource and each property that any of them has, so that the others wait for the long run.
 */
const cases = allIfLong(
  [
    { name: 'dev', stage: 'dev', given: {} },
    { name: 'changes', stage: 'dev', given: changesOfDev },
    { name: 'prod', stage: 'prod', given: trialOfProd },
    { name: 'options', stage: 'prod', given: optionsOfProd },
    ...twoSetCases.map(({ stage, deployment, given }) => ({
      name: `${stage}-${deployment}`,
      stage,
      given: { deployment, ...given },
    })),
  ],
  ({ name }) => ['dev', 'changes', 'prod-canary'].includes(name),
);
const describeWithLinter = requireOrSkip('cfn-lint', isOnPath('cfn-lint'));

describeWithLinter('the linter of CloudFormation', () => {
  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'qurable-lint-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  test(
    'has nothing to say about the template of any stage, with any options and by any strategy, nor about a stack beside them',
    async () => {
      const files = ownStacks.map((name) => join(resources, `${name}.yml`));
      for (const { name, stage, given } of cases) {
        const { ok, output, text } = await packageStage(stage, given);
        expect([name, ok ? '' : output]).toEqual([name, '']);
        const file = join(scratch, `${name}.json`);
        writeFileSync(file, text);
        files.push(file);
      }
      // Together, since what it reads before the first template takes most of its time.
      const linted = spawnSync('cfn-lint', ['--format', 'parseable', ...files], { encoding: 'utf8' });
      expect([linted.stdout + linted.stderr, linted.status]).toEqual(['', 0]);
    },
    packagingMillis,
  );
});
