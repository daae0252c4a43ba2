import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import { openAws } from '../checklists/ask-aws.ts';
import { openApi } from '../checklists/call-api.ts';
import type { Check } from '../checklists/check.ts';
import { keyOf, readArguments, wholeOf } from '../checklists/read-arguments.ts';
import { outputOf, readStage } from '../checklists/read-stage.ts';
import { runChecks } from '../checklists/run-checks.ts';
import { runCommand } from '../checklists/run-command.ts';
import { systemTime } from '../checklists/time.ts';
import { BadInput } from '../cost/bad-input.ts';
import { serviceChecks } from './check-service.ts';
import { tasksCheck } from './check-tasks.ts';
import { couponChecks } from './use-coupon.ts';

const usage = `npm run smoke -- --stage dev | --url http://127.0.0.1:3000

Whether an API lives and does what it is for, once, in a book of its own that it closes. Status 0: all is well; 1: something
is not; 2: wrong use.

  --stage NAME          of resources/stages.yml; its tasks are counted, and its load balancer lets this machine in meanwhile
  --url ADDRESS         an API; beside --stage: where to reach it
  --region NAME         AWS_REGION unless given
  --patience SECONDS    how long a new name or a rolling task is waited for; 120 unless given

QURABLE_ADMIN_KEY is an admin's key; without it, the bootstrap key that the stage keeps in Secrets Manager.
`;

const letIn = resolve(import.meta.dirname, '../../.github/scripts/let-in.sh');
/** What is open to everybody, or was deployed before the stack said to whom. */
const openRanges = [undefined, '', '0.0.0.0/0'];

async function smoke(args: string[], environment: NodeJS.ProcessEnv): Promise<boolean> {
  const options = readArguments('smoke', args, environment, { flags: { patience: 'string' } });
  if (options.help) {
    console.log(usage);
    return true;
  }
  const patienceMillis = 1000 * wholeOf(options, 'patience', 120, 0, 3600);
  const checks: Check[] = [];
  let { url } = options;
  let key = keyOf(environment);
  if (options.stage !== null) {
    const aws = openAws(environment, options.region);
    const stage = await readStage(aws, options.stage, options.region);
    const address = url ?? outputOf(stage, 'Address');
    if (url === null && !openRanges.includes(stage.outputs.ClientCidr)) {
      return await runLetIn(stage.name, [...args, '--url', address], environment, options.region);
    }
    checks.push(tasksCheck(aws, stage, systemTime, patienceMillis));
    url = address;
    key ??= await readStageKey(aws, outputOf(stage, 'AdminKeySecretArn'));
  }
  if (key === null) {
    throw new BadInput('QURABLE_ADMIN_KEY is not set: export an admin’s key (npm start keeps its own in .qurable)');
  }
  const api = openApi({ address: url!, key, fetch, makeIdempotencyKey: randomUUID });
  const bookName = `smoke test ${new Date(systemTime.now()).toISOString()}`;
  checks.push(...serviceChecks(api, systemTime, patienceMillis), ...couponChecks(api, bookName));
  return await runChecks(checks, console.log);
}

async function readStageKey(aws: ReturnType<typeof openAws>, secret: string): Promise<string> {
  const { SecretString } = await aws('secretsmanager', 'get-secret-value', '--secret-id', secret);
  return String(SecretString);
}

/** The same once more, with the address said, while the load balancer lets this machine in. */
async function runLetIn(
  stage: string,
  args: string[],
  environment: NodeJS.ProcessEnv,
  region: string | null,
): Promise<boolean> {
  const program = [process.execPath, import.meta.filename, ...args];
  const env = { ...environment, ...(region === null ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region }) };
  const child = spawn(letIn, [stage, ...program], { stdio: 'inherit', env });
  const status = await new Promise<number | null>((done, fail) => {
    child.once('error', fail);
    child.once('close', done);
  });
  return status === 0;
}

process.exitCode = await runCommand(() => smoke(process.argv.slice(2), process.env));
