import { parseArgs } from 'node:util';
import { BadInput } from './bad-input.ts';
import { choicesOf, savingFlags } from './find-savings.ts';
import type { Load } from './load.ts';
import type { Choices } from './rules/rule.ts';

/** What `npm run cost` was asked for. */
export interface CostOptions {
  help: boolean;
  stage: string;
  /** As `sls deploy --param` takes them. */
  parameters: Record<string, string>;
  /** A packaged template instead of the stage. */
  template: string | null;
  /** null: the stage's own. */
  region: string | null;
  prices: string | null;
  /** null: the strategy's scenarios alone. */
  requestsPerDay: number | null;
  hasBlackFriday: boolean;
  shared: Omit<Load, 'requestsPerDay' | 'hasBlackFriday'>;
  choices: Choices;
  json: boolean;
  svg: string | null;
  /** A packaged template or a commit, with which the month is compared. */
  compare: string | null;
}

/** What `npm run cost -- --help` prints. */
export const usage = `npm run cost -- [--stage prod] [--requests-per-day 10000000]

What a stage costs in a month, by service, from its packaged template: for the deployment strategy's scenarios, and for any load.

  --stage NAME                of resources/stages.yml; prod unless given
  --param NAME=VALUE          a parameter of the stage, as sls deploy takes it; as often as you like
  --template FILE             a template that sls package has made, instead of packaging the stage
  --requests-per-day N        a load of your own, with every line of its month
  --black-friday              the month has the calendar's Black Friday in it
  --requests-per-connection N 10 unless given: what clients send before they connect anew
  --months-kept N             months of events in the database; 1 unless given
  --reserved --savings-plan --valkey --graviton --spot
                              ways to pay less; the report says what each saves
  --compare FILE|COMMIT       what the month costs more or less than that of another template
  --prices FILE, --region NAME
  --json                      for programs; amounts are decimals in quotes
  --svg FILE                  a chart of cost against load
`;

/**
 * Reads the command line.
 * @throws BadInput in one line
 */
export function readOptions(args: string[]): CostOptions {
  const values = parse(args);
  const flags = new Set(savingFlags.filter((flag) => values[flag.slice(2)] === true));
  return {
    help: values.help === true,
    stage: values.stage ?? 'prod',
    parameters: parametersOf(values.param ?? []),
    template: values.template ?? null,
    region: regionOf(values.region),
    prices: values.prices ?? null,
    requestsPerDay:
      values['requests-per-day'] === undefined ? null : whole(values, 'requests-per-day', 0, 10_000_000_000),
    hasBlackFriday: values['black-friday'] === true,
    shared: {
      requestsPerConnection: whole(
        { 'requests-per-connection': '10', ...values },
        'requests-per-connection',
        1,
        1_000_000,
      ),
      monthsKept: whole({ 'months-kept': '1', ...values }, 'months-kept', 1, 120),
    },
    choices: choicesOf(flags),
    json: values.json === true,
    svg: values.svg ?? null,
    compare: values.compare ?? null,
  };
}

function parse(args: string[]) {
  try {
    return parseArgs({
      args,
      options: {
        help: { type: 'boolean' },
        stage: { type: 'string' },
        param: { type: 'string', multiple: true },
        template: { type: 'string' },
        region: { type: 'string' },
        prices: { type: 'string' },
        'requests-per-day': { type: 'string' },
        'requests-per-connection': { type: 'string' },
        'black-friday': { type: 'boolean' },
        'months-kept': { type: 'string' },
        reserved: { type: 'boolean' },
        'savings-plan': { type: 'boolean' },
        valkey: { type: 'boolean' },
        graviton: { type: 'boolean' },
        spot: { type: 'boolean' },
        json: { type: 'boolean' },
        svg: { type: 'string' },
        compare: { type: 'string' },
      },
    }).values as Record<string, never> & {
      [name in 'stage' | 'template' | 'region' | 'prices' | 'svg' | 'compare' | 'requests-per-day']?: string;
    } & { [name in 'help' | 'json' | 'black-friday']?: boolean } & { param?: string[] };
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw new BadInput(`${sentence}; npm run cost -- --help lists what there is`);
  }
}

function parametersOf(given: string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((parameter) => {
      const at = parameter.indexOf('=');
      if (at < 1) throw new BadInput(`--param ${parameter}: it must be NAME=VALUE, such as databaseClass=db.r6g.large`);
      return [parameter.slice(0, at), parameter.slice(at + 1)];
    }),
  );
}

function regionOf(given: string | undefined): string | null {
  if (given === undefined) return null;
  if (/^[a-z]{2}(-[a-z]+){1,2}-[1-9]$/.test(given)) return given;
  throw new BadInput(`--region ${given}: it must be a region such as us-east-1`);
}

function whole(values: Record<string, unknown>, name: string, least: number, most: number): number {
  const given = String(values[name]);
  const value = Number(given);
  if (/^\d{1,15}$/.test(given) && value >= least && value <= most) return value;
  throw new BadInput(`--${name} ${given}: it must be a whole number from ${least} to ${most}, in digits alone`);
}
