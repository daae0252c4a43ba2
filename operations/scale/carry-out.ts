import { spawn } from 'node:child_process';
import { join, resolve } from 'node:path';
import { type AskAws, AwsRefusal } from '../checklists/ask-aws.ts';
import type { Stage } from '../checklists/read-stage.ts';
import { asGiven, parametersToGive } from '../preflight/read-parameters.ts';
import type { ParameterChange } from './plan.ts';

const project = resolve(import.meta.dirname, '../..');

/** What a plan has changed, as it is kept in the account until it is taken back. */
export interface CarriedOut {
  event: string;
  before: Record<string, string>;
  after: Record<string, string>;
}

/** Deploys a stage with parameters; resolves with whether that went well. */
export type Deploy = (stage: string, parameters: Record<string, string>) => Promise<boolean>;

const keptAt = (stage: Stage) => `/qurable/${stage.name}/scale-plan`;

/**
 * What was carried out and not taken back; null where nothing was.
 * @throws AwsRefusal
 */
export async function readCarriedOut(aws: AskAws, stage: Stage): Promise<CarriedOut | null> {
  try {
    const { Parameter } = await aws('ssm', 'get-parameter', '--name', keptAt(stage));
    return JSON.parse((Parameter as { Value: string }).Value) as CarriedOut;
  } catch (error) {
    if (error instanceof AwsRefusal && error.code === 'ParameterNotFound') return null;
    throw error;
  }
}

/**
 * Deploys what a plan changes. What there was before is kept first, so that the way back is known whatever happens
 * then; called again for the same it does nothing more.
 * @returns one line that says what was done, or null where the deployment failed
 */
export async function carryOut(
  parts: { aws: AskAws; stage: Stage; deploy: Deploy },
  event: string,
  changes: readonly ParameterChange[],
): Promise<string | null> {
  const { aws, stage, deploy } = parts;
  const earlier = await readCarriedOut(aws, stage);
  const after = Object.fromEntries(changes.map((change) => [change.name, asGiven(change.after)]));
  if (changes.length === 0) {
    return earlier === null
      ? 'nothing is to be changed'
      : `carried out already for ${earlier.event}; --back takes it back`;
  }
  const before = Object.fromEntries(changes.map((change) => [change.name, asGiven(change.before)]));
  // The first one's state is the one to go back to, however many plans came on top of it.
  const kept: CarriedOut = {
    event,
    before: { ...before, ...earlier?.before },
    after: { ...earlier?.after, ...after },
  };
  const value = ['--type', 'String', '--overwrite', '--value', JSON.stringify(kept)];
  await aws('ssm', 'put-parameter', '--name', keptAt(stage), ...value);
  if (!(await deploy(stage.name, { ...parametersToGive(stage), ...after }))) return null;
  return `carried out for ${event}; npm run scale-plan -- --stage ${stage.name} --back takes it back`;
}

/**
 * Deploys what there was before a plan was carried out.
 * @returns one line that says what was done, or null where the deployment failed
 */
export async function takeBack(parts: { aws: AskAws; stage: Stage; deploy: Deploy }): Promise<string | null> {
  const { aws, stage, deploy } = parts;
  const carriedOut = await readCarriedOut(aws, stage);
  if (carriedOut === null) return 'nothing was carried out, so there is nothing to take back';
  if (!(await deploy(stage.name, { ...parametersToGive(stage), ...carriedOut.before }))) return null;
  await aws('ssm', 'delete-parameter', '--name', keptAt(stage));
  const told = Object.entries(carriedOut.before).map(([name, value]) => `${name} ${value}`);
  return `as before ${carriedOut.event}: ${told.join(', ')}`;
}

/** Runs the project's own `sls deploy`, whose words go where this program's go. */
export function deployBy(environment: NodeJS.ProcessEnv): Deploy {
  return (stage, parameters) => {
    const sls = join(project, 'node_modules/serverless/bin/serverless.js');
    const given = Object.entries(parameters).map(([name, value]) => `--param=${name}=${value}`);
    const child = spawn(process.execPath, [sls, 'deploy', '--stage', stage, ...given], {
      cwd: project,
      env: environment,
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    return new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code === 0));
    });
  };
}
