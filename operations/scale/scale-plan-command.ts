import { createRequire } from 'node:module';
import { nextOccurrence } from '../../handlers/scale/event-calendar.ts';
import { readCalendar } from '../../handlers/scale/read-calendar.ts';
import { openAws } from '../checklists/ask-aws.ts';
import { readArguments, wholeOf } from '../checklists/read-arguments.ts';
import { readStage, type Stage } from '../checklists/read-stage.ts';
import { runCommand } from '../checklists/run-command.ts';
import { systemTime } from '../checklists/time.ts';
import { BadInput } from '../cost/bad-input.ts';
import { asPackaged, estimateMonth } from '../cost/estimate-month.ts';
import { packageStage, stagesOf } from '../cost/package-stage.ts';
import { readPrices } from '../cost/read-prices.ts';
import { type CostTemplate, textOf } from '../cost/template.ts';
import { asGiven, parametersToGive, readParameters } from '../preflight/read-parameters.ts';
import { carryOut, deployBy, takeBack } from './carry-out.ts';
import { changesFor, type Needs, needsOf, type Parameters } from './plan.ts';
import { linesOfPlan, type Plan } from './print-plan.ts';

const usage = `npm run scale-plan -- --event black-friday --requests-per-day 20000000 --stage prod

What a stage needs for an event: tasks, class of the database, cache, quota; what that changes, when, what it interrupts and
what it costs. Nothing is changed without --carry-out or --back, and nothing of AWS is asked without them or --live.
Status 0: told, or done; 1: a deployment failed; 2: wrong use.

  --stage NAME            of resources/stages.yml
  --event NAME            black-friday, or an event that resources/stages.yml lists
  --requests-per-day N    on the event's day
  --cache-class NAME      such as cache.t4g.medium; --cache-nodes N: 1 to 6
  --live                  with the parameters of the stage that runs, and the account's quota
  --carry-out             deploys these files with what the plan changes; what there was before is kept in the account
  --back                  deploys what there was before
  --region NAME           AWS_REGION unless given
`;

const flags = {
  event: 'string',
  'requests-per-day': 'string',
  'cache-class': 'string',
  'cache-nodes': 'string',
  live: 'boolean',
  'carry-out': 'boolean',
  back: 'boolean',
} as const;

async function scalePlan(args: string[], environment: NodeJS.ProcessEnv): Promise<boolean> {
  const options = readArguments('scale-plan', args, environment, { flags, takesUrl: false });
  if (options.help) {
    console.log(usage);
    return true;
  }
  const { others, region } = options;
  const name = options.stage!;
  const isLive = others.live === true || others['carry-out'] === true || others.back === true;
  const aws = openAws(environment, region);
  const stage = isLive ? await readStage(aws, name, region) : onPaper(name);
  const ofDeployment = { ...environment, ...(region === null ? {} : { AWS_REGION: region }) };
  const parts = { aws, stage, deploy: deployBy(ofDeployment) };
  if (others.back === true) return tellDone(await takeBack(parts));

  if (others.event === undefined)
    throw new BadInput('--event is missing: black-friday, or one of resources/stages.yml');
  if (others['requests-per-day'] === undefined) throw new BadInput('--requests-per-day is missing: of the event’s day');
  const requestsPerDay = wholeOf(options, 'requests-per-day', 0, 1, 999_999_999);
  const cache: Parameters = {
    ...(others['cache-class'] === undefined ? {} : { cacheClass: others['cache-class'] }),
    ...(others['cache-nodes'] === undefined ? {} : { cacheNodes: wholeOf(options, 'cache-nodes', 1, 1, 6) }),
  };
  const plan = await makePlan(stage, String(others.event), requestsPerDay, cache);
  const quota = isLive ? await quotaOf(aws) : null;
  for (const line of linesOfPlan({ ...plan, quota })) console.log(line);
  if (others['carry-out'] !== true) return true;
  const changes = plan.changes.some(({ name: changed }) => changed === 'databaseClass')
    ? [...plan.changes, atOnce(plan.parameters)]
    : plan.changes;
  return tellDone(await carryOut(parts, plan.event, changes));
}

/** A stage of which nothing but the files is known. */
function onPaper(name: string): Stage {
  const known = stagesOf();
  if (!known.includes(name)) throw new BadInput(`--stage ${name}: resources/stages.yml has ${known.join(' and ')}`);
  return { name, stack: `qurable-${name}`, status: 'UNKNOWN', outputs: {} };
}

async function makePlan(
  stage: Stage,
  event: string,
  requestsPerDay: number,
  cache: Parameters,
): Promise<Omit<Plan, 'quota'>> {
  const given = parametersToGive(stage);
  const present = await packageStage(stage.name, given);
  const time = timeOf(present.template, event);
  const parameters = await readChecked(stage);
  const load = { requestsPerDay, requestsPerConnection: 10, hasBlackFriday: true, monthsKept: 1 };
  const prices = readPrices(present.region, null);
  const before = estimateMonth(present.template, load, prices, asPackaged);
  const needs = await needsOrBadInput(needsOf(before, parameters));
  const changes = changesFor(needs, parameters, cache);
  const changed = Object.fromEntries(changes.map(({ name, after }) => [name, asGiven(after)]));
  const planned = changes.length === 0 ? present : await packageStage(stage.name, { ...given, ...changed });
  const after = estimateMonth(planned.template, load, prices, asPackaged);
  return { event, time, parameters, needs, changes, before, after };
}

function timeOf(template: CostTemplate, event: string) {
  const [capacity] = template.ofType('Custom::Capacity');
  const calendar = readCalendar(textOf(capacity!, 'Calendar'));
  const time = nextOccurrence(calendar, event, systemTime.now());
  if (time !== null) return time;
  const names = ['black-friday', ...calendar.events.map(({ name }) => name)];
  throw new BadInput(`--event ${event}: none of that name is to come; the calendar has ${names.join(', ')}`);
}

/** The stage's parameters as numbers and flags; those that follow from a class stay open, to follow from another. */
async function readChecked(stage: Stage): Promise<Parameters> {
  const load = createRequire(import.meta.url);
  const { readParameter } = load('../../resources/parameter-rules.cjs') as {
    readParameter(name: string, given: unknown): unknown;
  };
  return Object.fromEntries(
    Object.entries(readParameters(stage)).map(([name, value]) => [name, readParameter(name, value)]),
  );
}

async function needsOrBadInput(needs: Promise<Needs>): Promise<Needs> {
  return needs.catch((error: unknown) => {
    throw error instanceof RangeError ? new BadInput(error.message) : error;
  });
}

/** A class that waits for the maintenance window would come after the event. */
function atOnce({ databaseApplyImmediately }: Parameters) {
  return { name: 'databaseApplyImmediately', before: databaseApplyImmediately, after: true };
}

async function quotaOf(aws: ReturnType<typeof openAws>): Promise<number> {
  const args = ['--service-code', 'fargate', '--quota-code', 'L-3032A538'];
  const { Quota } = await aws('service-quotas', 'get-service-quota', ...args);
  return (Quota as { Value: number }).Value;
}

function tellDone(done: string | null): boolean {
  console.log(done ?? 'the deployment failed, and was taken back: see above; call this again once that is mended');
  return done !== null;
}

process.exitCode = await runCommand(() => scalePlan(process.argv.slice(2), process.env));
