import { execFile } from 'node:child_process';
import { BadInput } from '../cost/bad-input.ts';

/**
 * Asks AWS one thing.
 * @param args as the aws CLI takes them
 * @returns its answer, of all pages
 * @throws BadInput where nothing can be asked at all: no CLI, no credentials, no region; AwsRefusal otherwise
 */
export type AskAws = (service: string, operation: string, ...args: string[]) => Promise<Record<string, unknown>>;

/** AWS said no to one question. Its message is one line that says how to mend it. */
export class AwsRefusal extends Error {
  override name = 'AwsRefusal';
  /** Such as `AccessDenied`. */
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

const answerMillis = 60_000;
const answerBytes = 2 ** 26;

/**
 * The aws CLI as a door to every service: it has the credentials that the operator's other commands have.
 * @param environment where CLI, credentials and AWS_ENDPOINT_URL are found
 */
export function openAws(environment: NodeJS.ProcessEnv, region: string | null): AskAws {
  const { AWS_ENDPOINT_URL } = environment;
  const common = [
    ...['--output', 'json'],
    ...(region === null ? [] : ['--region', region]),
    // Version 1 of the CLI does not read the variable for every service.
    ...(AWS_ENDPOINT_URL === undefined ? [] : ['--endpoint-url', AWS_ENDPOINT_URL]),
  ];
  const options = {
    env: { ...environment, AWS_PAGER: '' },
    maxBuffer: answerBytes,
    timeout: answerMillis,
    encoding: 'utf8' as const,
  };
  return (service, operation, ...args) =>
    new Promise((resolve, reject) => {
      execFile('aws', [service, operation, ...args, ...common], options, (error, stdout, stderr) => {
        if (error !== null) return reject(refusalOf(error, stderr, `${service} ${operation}`, region));
        try {
          resolve(JSON.parse(stdout || '{}') as Record<string, unknown>);
        } catch {
          reject(new AwsRefusal('NotJson', `aws ${service} ${operation} answered something that is not JSON`));
        }
      });
    });
}

/** What an error of the CLI means, from what it wrote. */
export function refusalOf(
  error: { code?: string | number | null; killed?: boolean },
  stderr: string,
  call: string,
  region: string | null,
): BadInput | AwsRefusal {
  if (error.code === 'ENOENT') return new BadInput('the aws CLI is not there: install version 2 of it');
  if (/You must specify a region/.test(stderr))
    return new BadInput('no region is known: give --region us-east-1, or export AWS_REGION');
  if (/Could not connect to the endpoint|Invalid endpoint|Could not resolve host/.test(stderr)) {
    return new BadInput(`AWS can’t be reached in ${region ?? 'the region that is configured'}: is --region right?`);
  }
  if (
    /Unable to locate credentials|could not be found|Partial credentials/.test(stderr) &&
    !/An error occurred/.test(stderr)
  ) {
    return new BadInput('no credentials are known: export AWS_PROFILE, or sign in with aws sso login');
  }
  if (error.killed) return new AwsRefusal('TimedOut', `aws ${call} did not answer in a minute: try again`);
  const [, code = 'Unknown'] = /An error occurred \((\w+)\)/.exec(stderr) ?? [];
  if (/^(ExpiredToken|InvalidClientTokenId|UnrecognizedClient|SignatureDoesNotMatch|AuthFailure)/.test(code)) {
    return new BadInput(`AWS does not take the credentials (${code}): sign in again, or export another AWS_PROFILE`);
  }
  const [, right] = /not authorized to perform: ([\w-]+:\w+)/.exec(stderr) ?? [];
  if (right !== undefined || /AccessDenied|Unauthorized/.test(code)) {
    return new AwsRefusal('AccessDenied', `you may not ask: allow ${right ?? `what aws ${call} needs`} to your role`);
  }
  const said =
    stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.replace(/^.*operation[^:]*: /, '') ?? '';
  return new AwsRefusal(code, `aws ${call}: ${said || code}`);
}
