import { randomUUID } from 'node:crypto';
import { openAws } from '../checklists/ask-aws.ts';
import { openApi } from '../checklists/call-api.ts';
import { keyOf, readArguments, wholeOf } from '../checklists/read-arguments.ts';
import { readStage } from '../checklists/read-stage.ts';
import { runCommand } from '../checklists/run-command.ts';
import { systemTime } from '../checklists/time.ts';
import { BadInput } from '../cost/bad-input.ts';
import { runWatch } from './run-watch.ts';
import { watchAddress } from './watch-address.ts';
import { watchStage } from './watch-stage.ts';

const usage = `npm run watch -- --stage prod | --url http://127.0.0.1:3000

Half an hour of error rate, p99 and error lines, after a deployment or in an event. A line each time it looks, and an early no
where what was seen can't become a yes any more. Status 0: all was well; 1: something was not; 2: wrong use.

  --stage NAME      what CloudWatch has of the stage's load balancer and log
  --url ADDRESS     one process by its /metrics; with QURABLE_ADMIN_KEY unless they have a port of their own
  --region NAME     AWS_REGION unless given
  --minutes N       30 unless given
  --every SECONDS   60 unless given
  --idle-is-fine    it is no fault if no request comes
`;

async function watch(args: string[], environment: NodeJS.ProcessEnv): Promise<boolean> {
  const flags = { minutes: 'string', every: 'string', 'idle-is-fine': 'boolean' } as const;
  const given = readArguments('watch', args, environment, { flags });
  if (given.help) {
    console.log(usage);
    return true;
  }
  if (given.stage !== null && given.url !== null) throw new BadInput('--stage or --url: one of them is watched');
  const options = {
    minutes: wholeOf(given, 'minutes', 30, 1, 1440),
    everySeconds: wholeOf(given, 'every', 60, 1, 3600),
    isIdleFine: given.others['idle-is-fine'] === true,
  };
  const key = keyOf(environment);
  if (given.url !== null) {
    const api = openApi({ address: given.url, key, fetch, makeIdempotencyKey: randomUUID });
    return await runWatch(await watchAddress(api), systemTime, options, console.log);
  }
  const aws = openAws(environment, given.region);
  const stage = await readStage(aws, given.stage!, given.region);
  return await runWatch(await watchStage(aws, stage, systemTime), systemTime, options, console.log);
}

process.exitCode = await runCommand(() => watch(process.argv.slice(2), process.env));
