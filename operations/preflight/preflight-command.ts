import { openAws } from '../checklists/ask-aws.ts';
import { type Check, type Finding, skipped } from '../checklists/check.ts';
import { readArguments, wholeOf } from '../checklists/read-arguments.ts';
import { readStage } from '../checklists/read-stage.ts';
import { runChecks } from '../checklists/run-checks.ts';
import { runCommand } from '../checklists/run-command.ts';
import { systemTime } from '../checklists/time.ts';
import { BadInput } from '../cost/bad-input.ts';
import { checkAlarms, checkTold } from './check-alarms.ts';
import { checkBackups, checkSnapshots } from './check-backups.ts';
import { checkCost } from './check-cost.ts';
import { checkMigrations } from './check-migrations.ts';
import { checkConcurrency, checkQuota } from './check-quota.ts';
import { checkSecrets } from './check-secrets.ts';
import { checkDrift, judgeStack, readResources } from './check-stack.ts';
import { readParameters } from './read-parameters.ts';

const usage = `npm run preflight -- --stage prod

Whether a stage is ready for a deployment of these files. Nothing is changed; a task is started beside the database to ask for
its migrations. Status 0: it is; 1: something is not as it should be; 2: wrong use.

  --stage NAME            of resources/stages.yml
  --region NAME           AWS_REGION unless given
  --requests-per-day N    the load for the difference in cost; 1000000 unless given
  --accept-locks          pending migrations may hold up writers for as long as their tables are large
  --skip NAME,NAME        what is not to be looked at: stack, backups, snapshots, secrets, alarms, told, quota, concurrency, migrations,
                          drift, cost
`;

const names = [
  ...['stack', 'backups', 'snapshots', 'secrets', 'alarms'],
  ...['told', 'quota', 'concurrency', 'migrations', 'drift', 'cost'],
] as const;

async function preflight(args: string[], environment: NodeJS.ProcessEnv): Promise<boolean> {
  const flags = { 'requests-per-day': 'string', 'accept-locks': 'boolean', skip: 'string' } as const;
  const options = readArguments('preflight', args, environment, { flags, takesUrl: false });
  if (options.help) {
    console.log(usage);
    return true;
  }
  const requestsPerDay = wholeOf(options, 'requests-per-day', 1_000_000, 0, 999_999_999);
  const left = skippedOf(options.others.skip);
  const { region } = options;
  const aws = openAws(environment, region);
  const stage = await readStage(aws, options.stage!, region);
  const parameters = readParameters(stage);
  const resources = await readResources(aws, stage);
  // The scripts ask the same region.
  const ofScripts = { ...environment, ...(region === null ? {} : { AWS_REGION: region, AWS_DEFAULT_REGION: region }) };
  const look: Record<(typeof names)[number], () => Promise<Finding>> = {
    stack: async () => judgeStack(stage),
    backups: () => checkBackups(aws, stage, systemTime.now()),
    snapshots: () => checkSnapshots(aws, stage, systemTime.now()),
    secrets: () => checkSecrets(aws, stage, resources),
    alarms: () => checkAlarms(aws, stage, resources),
    told: () => checkTold(aws, stage, String(parameters.allowNoAlertEmail) === 'true'),
    quota: () => checkQuota(aws, parameters),
    concurrency: () => checkConcurrency(aws, parameters),
    migrations: () => checkMigrations(stage.name, ofScripts, options.others['accept-locks'] === true),
    drift: () => checkDrift(aws, stage, systemTime),
    cost: () => checkCost(aws, stage, requestsPerDay),
  };
  const checks: Check[] = names.map((name) => ({
    name,
    look: left.has(name) ? async () => skipped('by --skip') : look[name],
  }));
  return await runChecks(checks, console.log);
}

function skippedOf(given: string | boolean | undefined): Set<string> {
  const list = typeof given === 'string' ? given.split(',') : [];
  for (const name of list) {
    if (!names.some((known) => known === name)) throw new BadInput(`--skip ${name}: there are ${names.join(', ')}`);
  }
  return new Set(list);
}

process.exitCode = await runCommand(() => preflight(process.argv.slice(2), process.env));
