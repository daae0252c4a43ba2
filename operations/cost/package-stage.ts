import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parse } from 'yaml';
import { BadInput } from './bad-input.ts';
import { type CostTemplate, readTemplate, templateOf } from './template.ts';

/** A stage as `sls package` makes it. */
export interface PackagedStage {
  template: CostTemplate;
  region: string;
}

const project = resolve(import.meta.dirname, '../..');
const longestMillis = 300_000;
/** What the packager is told of this process's environment: how Node runs, and where what can be made again is kept. */
const passedOn = ['PATH', 'TMPDIR', 'NODE_OPTIONS', 'NODE_COMPILE_CACHE', 'SLS_SCHEMA_CACHE_BASE_DIR'];
/** Packaging alone touches no zone and sends no mail; a name in a zone is what a stage for customers has. */
const examples = { domainName: 'coupons.example.com', hostedZoneId: 'Z0123456789ABCDEFGHIJ' };

/** The stages of resources/stages.yml. */
export function stagesOf(directory = project): string[] {
  return Object.keys(readStages(directory)).filter((name) => name !== 'default');
}

/**
 * Packages a stage of the project, without credentials and without a network. It takes ten seconds.
 * @param parameters as `sls deploy --param` takes them; a stage that has no domain and insists on one gets an example's
 * @param directory of the project whose stage it is: this one, or another commit's
 * @throws BadInput with what the packager says
 */
export async function packageStage(
  stage: string,
  parameters: Record<string, string>,
  directory = project,
): Promise<PackagedStage> {
  const known = stagesOf(directory);
  if (!known.includes(stage)) {
    throw new BadInput(`--stage ${stage}: resources/stages.yml has ${known.join(' and ')}`);
  }
  const given = { ...neededToPackage(stage, directory), ...parameters };
  const output = mkdtempSync(join(tmpdir(), 'qurable-cost-'));
  try {
    const args = Object.entries(given).map(([name, value]) => `--param=${name}=${value}`);
    await runPackager(directory, ['package', '--stage', stage, '--package', output, ...args]);
    const file = join(output, 'cloudformation-template-update-stack.json');
    const { service } = JSON.parse(readFileSync(join(output, 'serverless-state.json'), 'utf8'));
    const template = withRegistry(readTemplate(readFileSync(file, 'utf8'), file), directory);
    return { template, region: service.provider.region };
  } finally {
    rmSync(output, { recursive: true, force: true });
  }
}

/**
 * Packages the stage as another commit has it, with this project's packages.
 * @throws BadInput where the commit is not known here
 */
export async function packageCommit(
  commit: string,
  stage: string,
  parameters: Record<string, string>,
): Promise<PackagedStage> {
  const directory = mkdtempSync(join(tmpdir(), 'qurable-cost-commit-'));
  try {
    const isName = /^\w[\w./~^@{}-]*$/.test(commit);
    const archive = spawnSync('git', ['archive', '--format=tar', isName ? commit : '', '--'], {
      cwd: project,
      maxBuffer: 2 ** 30,
    });
    if (archive.status !== 0) {
      throw new BadInput(
        `--compare ${commit}: it is neither a file nor a commit that this clone has (git fetch brings it)`,
      );
    }
    spawnSync('tar', ['-x', '-C', directory], { input: archive.stdout });
    symlinkSync(join(project, 'node_modules'), join(directory, 'node_modules'));
    return await packageStage(stage, parameters, directory);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/**
 * A stage's template with the registry's, a stack of its own that all stages share. A template that has one already, of
 * whatever name, is left as it is.
 */
export function withRegistry(template: CostTemplate, directory = project): CostTemplate {
  if (template.ofType('AWS::ECR::Repository').length > 0) return template;
  const file = join(directory, 'resources/registry.yml');
  // CloudFormation's own tags are in its outputs alone, which nobody reads here.
  const { Resources } = parse(readFileSync(file, 'utf8'), { logLevel: 'silent' });
  const own = Object.fromEntries(
    template.resources.map(({ name, type, properties }) => [name, { Type: type, Properties: properties }]),
  );
  return templateOf({ ...own, ...Resources }, file);
}

/** What a stage must be told to be packaged, where resources/stages.yml does not say it. */
function neededToPackage(stage: string, directory: string): Record<string, string> {
  const { default: shared = {}, [stage]: own = {} } = readStages(directory);
  const { domainName, certificateArn, allowPlainHttp } = { ...shared, ...own };
  const insists = !domainName && !certificateArn && String(allowPlainHttp) !== 'true';
  return { allowNoAlertEmail: 'true', ...(insists ? examples : {}) };
}

function readStages(directory: string): Record<string, Record<string, unknown>> {
  return parse(readFileSync(join(directory, 'resources/stages.yml'), 'utf8'));
}

async function runPackager(directory: string, args: string[]): Promise<void> {
  const sls = join(directory, 'node_modules/serverless/bin/serverless.js');
  const child = spawn(process.execPath, [sls, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: longestMillis,
    // No account, and an address at which nothing answers: nothing of AWS can be reached, not even by accident.
    env: {
      ...Object.fromEntries(passedOn.map((name) => [name, process.env[name]])),
      HOME: directory,
      CI: '1',
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
      AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
      AWS_EC2_METADATA_DISABLED: 'true',
    },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (data: Buffer) => {
      output += data.toString();
    });
  }
  const code = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  if (code === 0) return;
  throw new BadInput(`the stage can’t be packaged: ${sentenceOf(output)}`);
}

/**
 * What the packager says, in one line: the sentence about the parameters (resources/derived.cjs), or its error's first.
 */
function sentenceOf(output: string): string {
  const found = /parameters can't be used: (.+)$/m.exec(output) ?? /^Error:\s*\n(.+)$/m.exec(output);
  return found?.[1] ?? (output.trim().split('\n').at(-1) || 'it said nothing');
}
