import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { isOnPath } from '../support/is-on-path.ts';
import { requireOrSkip } from '../support/require-or-skip.ts';
import { changesOfDev, packaged, packageStages, twoSetCases } from './packaged-stages.ts';
import { type Packaged, packageStage, packagingMillis } from './packaged-template.ts';

const resources = resolve(import.meta.dirname, '../../resources');
/** Stacks of their own, which are deployed as they are. */
const ownStacks = ['registry', 'budget', 'transaction-search', 'pipeline', 'pipeline-stage'];
const describeWithLinter = requireOrSkip('cfn-lint', isOnPath('cfn-lint'));

describeWithLinter('the linter of CloudFormation', () => {
  packageStages();

  let scratch: string;
  beforeAll(() => {
    scratch = mkdtempSync(join(tmpdir(), 'qurable-lint-'));
  });
  afterAll(() => rmSync(scratch, { recursive: true }));

  test(
    'has nothing to say about the template of any stage, with any options and by any strategy, nor about a stack beside them',
    async () => {
      const templates: Record<string, Packaged> = { ...packaged, changes: await packageStage('dev', changesOfDev) };
      for (const { stage, deployment, given } of twoSetCases)
        templates[`${stage}-${deployment}`] = await packageStage(stage, { deployment, ...given });
      const files = Object.entries(templates).map(([name, { ok, output, text }]) => {
        expect([name, ok ? '' : output]).toEqual([name, '']);
        const file = join(scratch, `${name}.json`);
        writeFileSync(file, text);
        return file;
      });
      files.push(...ownStacks.map((name) => join(resources, `${name}.yml`)));
      // Together, since what it reads before the first template takes most of its time.
      const linted = spawnSync('cfn-lint', ['--format', 'parseable', ...files], { encoding: 'utf8' });
      expect([linted.stdout + linted.stderr, linted.status]).toEqual(['', 0]);
    },
    packagingMillis,
  );
});
