import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';

const project = resolve(import.meta.dirname, '../..');
const folder = join(project, '.github/workflows');

interface Step {
  name?: string;
  id?: string;
  uses?: string;
  run?: string;
  if?: string;
  with?: Record<string, unknown>;
  env?: Record<string, string>;
}
interface Job {
  permissions?: Record<string, string>;
  needs?: string | string[];
  uses?: string;
  environment?: string;
  if?: string;
  with?: Record<string, unknown>;
  'runs-on'?: string;
  'timeout-minutes'?: number;
  concurrency?: { 'cancel-in-progress': boolean };
  strategy?: { 'fail-fast': boolean; matrix: Record<string, string[]> };
  steps?: Step[];
}
interface Workflow {
  on: Record<string, { inputs?: Record<string, unknown> } | null>;
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
    expect(JSON.stringify(credentials).match(/role-to-assume/g)).toHaveLength(4);
    for (const { permissions } of Object.values(workflows)) expect(permissions.contents).toBe('read');
  });

  test('goes from test to build to dev to prod, and through LocalStack', () => {
    const { jobs } = workflows['deploy.yml']!;
    expect(needsOf(jobs.build)).toEqual(['test', 'localstack']);
    expect(needsOf(jobs.dev)).toEqual(['build']);
    expect(needsOf(jobs['preview-prod'])).toEqual(['dev']);
    expect(needsOf(jobs.prod)).toEqual(['dev', 'preview-prod']);
    expect(jobs.localstack?.steps?.some((step) => step.run === 'npm run test:localstack')).toBe(true);
  });

  test('shows what it would change in a pull request of its own, and before prod’s approval, in the run’s summary', () => {
    const { jobs } = workflows['deploy.yml']!;
    for (const job of [jobs.preview, jobs['preview-prod']]) {
      expect(job?.uses).toBe('./.github/workflows/preview-stage.yml');
      // An environment would ask for its approval before anything is seen.
      expect(job?.environment).toBeUndefined();
    }
    expect(workflows['preview-stage.yml']!.jobs.preview?.if).toContain("inputs.role != ''");
    // A preview that failed keeps no hotfix away.
    expect(jobs.prod?.if).toContain("!cancelled() && needs.dev.result == 'success'");
    expect(jobs.preview?.if).toContain("github.event_name == 'pull_request'");
    expect(jobs.preview?.if).toContain('head.repo.full_name == github.repository');
    const { preview } = workflows['preview-stage.yml']!.jobs;
    expect(preview?.environment).toBeUndefined();
    expect(preview?.steps?.at(-1)?.run).toContain('"$GITHUB_STEP_SUMMARY"');
  });

  test('shows in a pull request, and there alone, what it does to the cost of each stage', () => {
    const { cost } = workflows['deploy.yml']!.jobs as Record<string, Job & { if?: string }>;
    expect(cost?.if).toBe("github.event_name == 'pull_request'");
    expect(cost?.permissions).toBeUndefined();
    const step = cost?.steps?.find(({ name }) => name === 'Cost');
    expect(step?.run).toContain(
      'for stage in dev prod; do npm run --silent cost -- --stage "$stage" --compare "$BASE"',
    );
    expect(step?.run).toContain('>>"$GITHUB_STEP_SUMMARY"');
  });

  test('refuses an older commit, takes a snapshot, deploys, looks, and goes back where it does not like what it sees', () => {
    const { deploy } = workflows['deploy-stage.yml']!.jobs;
    const names = deploy?.steps?.map(({ name }) => name).filter((name) => name !== undefined);
    expect(names).toEqual(['Refuse an older commit', 'Snapshot', 'Deploy', 'Smoke test', 'Roll back']);
    expect(deploy?.steps?.at(-1)).toMatchObject({
      if: "failure() && steps.smoke.outcome == 'failure'",
      run: '.github/scripts/roll-back.sh "$STAGE"',
    });
    const smoke = deploy?.steps?.find(({ id }) => id === 'smoke');
    // What passed is written down only after it has passed.
    expect(smoke?.run?.trim().split('\n')).toEqual([
      'npm run --silent smoke -- --stage "$STAGE"',
      '.github/scripts/deployments.sh passed "$STAGE"',
    ]);
    expect(workflows['rollback.yml']!.jobs.rollback?.steps?.at(-1)?.run).toContain('.github/scripts/roll-back.sh');
  });

  test('runs no package’s script where it can become a role of the account', () => {
    for (const { permissions, steps = [] } of allJobs) {
      if (permissions?.['id-token'] !== 'write') continue;
      for (const { run: command = '' } of steps) {
        if (/npm (ci|install)/.test(command)) expect(command).toContain('--ignore-scripts');
      }
    }
    for (const { permissions } of Object.values(workflows)) expect(permissions['id-token']).toBeUndefined();
  });

  test('puts no value of an expression into a script as text', () => {
    for (const { run: command = '' } of allSteps) expect(command).not.toContain('${{');
  });

  test('gives each job an end, a machine by name, and no right that it does not use', () => {
    for (const [name, { on, jobs }] of Object.entries(workflows)) {
      // It would run a stranger's files with the rights of this repository.
      expect(Object.keys(on)).not.toContain('pull_request_target');
      for (const job of Object.values(jobs)) {
        for (const right of Object.keys(job.permissions ?? {})) expect(['contents', 'id-token']).toContain(right);
        if (job.uses !== undefined) continue;
        expect({ name, minutes: job['timeout-minutes'] }).toEqual({ name, minutes: expect.any(Number) });
        expect(job['runs-on']).toMatch(/^ubuntu-\d\d\.\d\d$/);
        const usesAccount = job.steps?.some(({ uses }) => uses?.startsWith('aws-actions/'));
        expect({ name, token: job.permissions?.['id-token'] }).toEqual({
          name,
          token: usesAccount ? 'write' : undefined,
        });
      }
    }
  });

  test('leaves no token of the repository where scripts run', () => {
    const checkouts = allSteps.filter(({ uses }) => uses?.startsWith('actions/checkout'));
    expect(checkouts.length).toBeGreaterThan(0);
    for (const step of checkouts) expect(step.with?.['persist-credentials']).toBe(false);
  });

  test('names only what there is: jobs that are waited for, steps that are asked, inputs that are given', () => {
    for (const { jobs } of Object.values(workflows)) {
      for (const job of Object.values(jobs)) {
        for (const needed of needsOf(job)) expect(Object.keys(jobs)).toContain(needed);
        const ids = (job.steps ?? []).flatMap(({ id }) => id ?? []);
        for (const [, id] of JSON.stringify(job).matchAll(/steps\.(\w+)/g)) expect(ids).toContain(id);
        if (job.uses === undefined) continue;
        const called = workflows[job.uses.split('/').at(-1)!]!;
        expect(Object.keys(job.with ?? {}).sort()).toEqual(Object.keys(called.on.workflow_call?.inputs ?? {}).sort());
      }
    }
    for (const [name, text] of Object.entries(texts)) {
      const inputs = Object.values(workflows[name]!.on).flatMap((event) => Object.keys(event?.inputs ?? {}));
      for (const [, input] of text.matchAll(/inputs\.(\w+)/g)) expect(inputs).toContain(input);
    }
  });

  test('lets no job run for half a day, and only a release write anything to the repository', () => {
    for (const job of allJobs) if (job.uses === undefined) expect(job['timeout-minutes']).toBeLessThanOrEqual(240);
    const writers = Object.entries(workflows).flatMap(([name, { jobs }]) =>
      Object.values(jobs).flatMap(({ permissions = {} }) =>
        Object.entries(permissions).flatMap(([what, how]) => (how === 'write' ? [`${name} ${what}`] : [])),
      ),
    );
    expect([...new Set(writers)].sort()).toEqual([
      'deploy-stage.yml id-token',
      'deploy.yml id-token',
      'preview-stage.yml id-token',
      'release.yml contents',
      'rollback.yml id-token',
    ]);
  });

  test('runs each night what a push has no time for, on every PostgreSQL that is promised', () => {
    const { jobs } = workflows['nightly.yml']!;
    const commands = Object.values(jobs).flatMap(({ steps = [] }) => steps.map((step) => step.run ?? ''));
    for (const command of [
      ...['npm run test:long', 'npm run test:mutants', 'npm run test:held', 'npm run test:noisy', 'npm run drill'],
      'npm run bench -- --quick',
    ]) {
      expect(commands.some((text) => text.includes(command))).toBe(true);
    }
    expect(jobs.postgresql?.strategy).toEqual({ 'fail-fast': false, matrix: { major: ['15', '16', '17', '18'] } });
    expect(jobs.postgresql?.steps?.at(-1)).toEqual({
      run: 'npm run test:postgres -- "$MAJOR"',
      env: { MAJOR: expect.stringContaining(' matrix.major ') },
    });
    expect(readFileSync(join(project, '.env.example'), 'utf8')).toContain('PostgreSQL 15 or later');
  });

  test('makes a release of a tag only on a commit of main that changelog and package know', () => {
    const steps = workflows['release.yml']!.jobs.release?.steps ?? [];
    expect(steps.map(({ run: command = '' }) => command.split(' ').slice(0, 2).join(' ')).slice(1)).toEqual([
      'git merge-base',
      'node .github/scripts/release-notes.mjs',
      'gh release',
    ]);
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
    expect(new Set(named).size).toBe(7);
    for (const name of named) {
      expect(statSync(join(project, name)).mode & 0o111).not.toBe(0);
      expect(spawnSync('bash', ['-n', join(project, name)]).status).toBe(0);
    }
  });
});

describe('a role of the pipeline', () => {
  const stageTemplate = readFileSync(join(project, 'resources/pipeline-stage.yml'), 'utf8');
  const accountTemplate = readFileSync(join(project, 'resources/pipeline.yml'), 'utf8');

  test('is had by the branch main alone, whichever form GitHub’s subject has', () => {
    for (const text of [stageTemplate, accountTemplate]) {
      expect(text).toContain("'token.actions.githubusercontent.com:ref': refs/heads/main");
      expect(text).toMatch(/'repo:\$\{Owner\}@\$\{OwnerId\}\/\$\{Name\}@\$\{Id\}:/);
      expect(text).toMatch(/!Sub 'repo:\$\{Repository\}:/);
    }
    for (const workflow of ['deploy-stage.yml', 'rollback.yml']) {
      expect(stageTemplate).toContain(`/.github/workflows/${workflow}@refs/heads/main`);
    }
  });

  test('of a pull request makes, reads and deletes change sets of one stack, and executes none', () => {
    const text = stageTemplate.slice(stageTemplate.indexOf('  PreviewRole:'), stageTemplate.indexOf('  Boundary:'));
    const actions = [...text.matchAll(/'((?!sts:|aws:|cloudformation:ChangeSetName)[a-z0-9]+:[A-Za-z]+)'/g)].map(
      ([, action]) => action,
    );
    expect(actions).toEqual([
      'cloudformation:DescribeStacks',
      'cloudformation:CreateChangeSet',
      'cloudformation:DeleteChangeSet',
      'cloudformation:DescribeChangeSet',
      's3:DeleteObject',
      's3:GetObject',
      's3:PutObject',
    ]);
    // Not the files that a deployment or a way back reads, nor another's change set.
    expect(text).toMatch(/\/serverless\/qurable\/\$\{Stage\}\/preview\/\*'/);
    expect(text).toContain("'cloudformation:ChangeSetName': 'preview-*'");
    expect(text).not.toContain('ManagedPolicyArns');
    expect(text.match(/:pull_request'/g)).toHaveLength(2);
    expect(stageTemplate.slice(0, stageTemplate.indexOf('  PreviewRole:'))).not.toContain(':pull_request');
  });

  test('of a pull request puts nothing where a deployment looks for the ones before it', () => {
    const folder = 'serverless/qurable/prod';
    expect(mayPreviewPut(`${folder}/preview/1.json`)).toBe(true);
    // IAM's asterisk stands for slashes too.
    for (const deployment of ['9999999999999-2286-11-20T17:46:39.999Z', '1764324000000-2025-11-28T10:00:00.000Z', '']) {
      expect(mayPreviewPut(`${folder}/${deployment}/serverless/qurable/prod/preview/1.json`)).toBe(false);
      expect(mayPreviewPut(`${folder}/${deployment}/compiled-cloudformation-template.json`)).toBe(false);
    }
    expect(mayPreviewPut('serverless/qurable/prod-2/preview/1.json')).toBe(false);
  });

  test('makes roles within its boundary only, and touches nothing of the other stage', () => {
    expect(stageTemplate).toMatch(
      /'iam:CreateRole', 'iam:PutRolePolicy', 'iam:PutRolePermissionsBoundary'\][\s\S]{0,300}'iam:PermissionsBoundary': !Ref Boundary/,
    );
    expect(stageTemplate).not.toContain("'iam:DeleteRolePermissionsBoundary'");
    expect(stageTemplate).toContain('not-the-other-stage');
  });

  /** Whether prod's PreviewRole may put an object under this key into the bucket of the deployments. */
  function mayPreviewPut(key: string): boolean {
    const policy = stageTemplate.slice(stageTemplate.indexOf('  PreviewRole:'), stageTemplate.indexOf('  Boundary:'));
    const arn = `arn:aws:s3:::qurable-prod-serverlessdeploymentbucket-1kd3nmb0fq2x/${key}`;
    const effects = policy.split('- Sid:').flatMap((statement) => {
      const resource = /Resource: !Sub '(arn:\$\{AWS::Partition\}:s3:::.+)'/.exec(statement)?.[1];
      if (resource === undefined) return [];
      const pattern = resource
        .replaceAll(/\$\{(AWS::Partition|Stage)\}/g, (_, name) => (name === 'Stage' ? 'prod' : 'aws'))
        .replaceAll('.', '\\.')
        .replaceAll('*', '.*');
      return new RegExp(`^${pattern}$`).test(arn) ? [/Effect: (\w+)/.exec(statement)?.[1]] : [];
    });
    return effects.includes('Allow') && !effects.includes('Deny');
  }
});
