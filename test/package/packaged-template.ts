import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { copyProject } from '../deploy/support/copy-project.ts';
import { runServerless } from '../deploy/support/run-serverless.ts';
import { claimFile } from '../support/claim-file.ts';

/** A value of a template: text, number, or an object with an intrinsic function. */
export type Value = string | number | boolean | null | Value[] | { [name: string]: Value };
export type Properties = { [name: string]: Value };

/** One resource of a packaged template. */
export interface Resource {
  Type: string;
  DependsOn?: string | string[];
  DeletionPolicy?: string;
  UpdateReplacePolicy?: string;
  Properties: Properties;
}

/** What `sls package` makes for CloudFormation. */
export interface Template {
  Resources: Record<string, Resource>;
  Outputs: Record<string, { Value: Value }>;
}

/** What packaging came to. */
export interface Packaged {
  ok: boolean;
  /** Everything that the command printed. */
  output: string;
  seconds: number;
  template: Template;
  /** The template's own text. */
  text: string;
  stackPolicy: Value;
}

/** Ten seconds a stage on an idle machine; much more on one where everything else is tested at the same time. */
export const packagingMillis = 1_800_000;

const project = resolve(import.meta.dirname, '../..');
const sources = [
  'serverless.yml',
  'resources',
  'handlers',
  'migrations',
  'core',
  'containers/api',
  'containers/console',
  'package-lock.json',
];

/** What prod wants to be told before it is served by plain HTTP and with nobody to alarm. */
export const trialOfProd = { allowPlainHttp: 'true', allowNoAlertEmail: 'true' };

/** Prod with whatever it can have beside its defaults. */
export const optionsOfProd = {
  domainName: 'coupons.example.com',
  hostedZoneId: 'Z0123456789ABCDEFGHIJ',
  alertEmail: 'ops@example.com',
  jwksUrl: 'https://issuer.example/keys',
  nat: 'each-zone',
  oidcIssuer: 'https://login.example',
  oidcClientId: 'qurable-console',
  oidcClientSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:OidcClient-abcdef',
  oidcRoles: 'coupon-admins=admin;support=operator',
  traceTasks: 'true',
  traceOneIn: '100',
  traceFunctions: 'true',
  codeSecretArn: 'arn:aws:secretsmanager:us-east-1:123456789012:secret:CodeSecret-abcdef',
  permissionsBoundaryArn: 'arn:aws:iam::123456789012:policy/qurable-prod-boundary',
};

/**
 * Packages a stage in a copy of the project, without credentials, without network, with parameters as an operator gives
 * them on the command line. Where it fails the template is empty. It takes ten seconds, so what came of the same
 * sources is kept for the other test files of a run, and one that another file is packaging now is waited for.
 */
export async function packageStage(stage: string, parameters: Record<string, string> = {}): Promise<Packaged> {
  // Sorted: whoever names them in another order asks for the same.
  const given = Object.entries(parameters)
    .map(([name, value]) => `--param=${name}=${value}`)
    .sort();
  const args = ['package', '--stage', stage, ...given];
  const kept = join(tmpdir(), `qurable-packaged-${hashOf(args)}.json`);
  const claim = `${kept}.claim`;
  for (;;) {
    if (existsSync(kept)) return JSON.parse(readFileSync(kept, 'utf8'));
    if (claimFile(claim)) break;
    await sleep(200);
  }
  try {
    const result = await packageNow(args);
    if (result.ok) {
      writeFileSync(`${kept}.${process.pid}`, JSON.stringify(result));
      renameSync(`${kept}.${process.pid}`, kept);
    }
    return result;
  } finally {
    rmSync(claim, { force: true });
  }
}

async function packageNow(args: string[]): Promise<Packaged> {
  const copy = copyProject();
  try {
    const run = await runServerless(copy.directory, args, null);
    if (!run.ok) return { ...run, template: { Resources: {}, Outputs: {} }, text: '', stackPolicy: null };
    const packaged = join(copy.directory, '.serverless');
    const text = readFileSync(join(packaged, 'cloudformation-template-update-stack.json'), 'utf8');
    const { service } = JSON.parse(readFileSync(join(packaged, 'serverless-state.json'), 'utf8'));
    return { ...run, template: JSON.parse(text), text, stackPolicy: service.provider.stackPolicy };
  } finally {
    copy.dispose();
  }
}

function hashOf(args: string[]): string {
  const hash = createHash('sha256').update(args.join('\0'));
  for (const path of sources.flatMap(filesOf).sort())
    hash.update(`\0${path}\0`).update(readFileSync(join(project, path)));
  return hash.digest('hex').slice(0, 24);
}

function filesOf(path: string): string[] {
  if (!statSync(join(project, path)).isDirectory()) return [path];
  return readdirSync(join(project, path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(project, join(entry.parentPath, entry.name)));
}

/** The resources of a type, by their names. */
export function ofType(template: Template, type: string): [string, Resource][] {
  return Object.entries(template.Resources).filter(([, resource]) => resource.Type === type);
}

/** A resource that must be there. */
export function resource(template: Template, name: string): Properties {
  const found = template.Resources[name];
  if (found === undefined) throw new Error(`the template has no ${name}`);
  return found.Properties ?? {};
}

/** Every object within a value, itself included. */
export function* objectsIn(value: Value): Generator<Properties> {
  if (Array.isArray(value)) for (const item of value) yield* objectsIn(item);
  else if (typeof value === 'object' && value !== null) {
    yield value;
    for (const item of Object.values(value)) yield* objectsIn(item);
  }
}

/** The resources that a value refers to. */
export function referencesIn(value: Value): string[] {
  return [...objectsIn(value)].flatMap((object) => {
    const names: string[] = [];
    if (typeof object.Ref === 'string') names.push(object.Ref);
    const attribute = object['Fn::GetAtt'];
    if (Array.isArray(attribute)) names.push(String(attribute[0]));
    if (typeof attribute === 'string') names.push(attribute.split('.')[0]!);
    const sub = object['Fn::Sub'];
    const text = Array.isArray(sub) ? sub[0] : sub;
    if (typeof text === 'string')
      names.push(...[...text.matchAll(/\$\{([A-Za-z0-9]+)[.}]/g)].map((match) => match[1]!));
    return names.filter((name) => !name.startsWith('AWS::'));
  });
}

/** A value as a list, as policies take both. */
export function asList(value: Value | undefined): Value[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}
