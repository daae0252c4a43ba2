import { parseArgs } from 'node:util';
import { BadInput } from '../cost/bad-input.ts';

/** What the command lines of checklists have in common. */
export interface Arguments {
  help: boolean;
  stage: string | null;
  /** Without a slash at its end. */
  url: string | null;
  /** null: the aws CLI's own. */
  region: string | null;
  /** The other flags that were given, by name: text, or true where a flag has no value. */
  others: Record<string, string | boolean>;
}

/**
 * Reads the command line of a checklist.
 * @param command such as `smoke`, for its messages
 * @param flags what it has beside --stage, --url, --region and --help
 * @param takesUrl whether it can look at an address alone
 * @throws BadInput in one line, which has nothing of an address in it that could be a password
 */
export function readArguments(
  command: string,
  args: string[],
  environment: NodeJS.ProcessEnv,
  { flags = {}, takesUrl = true }: { flags?: Record<string, 'string' | 'boolean'>; takesUrl?: boolean } = {},
): Arguments {
  const { help, stage, url, region, ...others } = parse(command, args, takesUrl ? { url: 'string', ...flags } : flags);
  const isHelp = help === true;
  if (!isHelp && stage === undefined && url === undefined) {
    throw new BadInput(`npm run ${command} -- --stage dev${takesUrl ? ', or --url http://127.0.0.1:3000' : ''}`);
  }
  const given = (region as string | undefined) || environment.AWS_REGION || environment.AWS_DEFAULT_REGION || null;
  return {
    help: isHelp,
    stage: (stage as string | undefined) ?? null,
    url: url === undefined ? null : addressOf(url as string),
    region: regionOf(given),
    others,
  };
}

/**
 * A flag's whole number, within bounds.
 * @throws BadInput
 */
export function wholeOf({ others }: Arguments, name: string, fallback: number, least: number, most: number): number {
  const given = others[name] ?? String(fallback);
  const value = Number(given);
  if (/^\d{1,9}$/.test(String(given)) && value >= least && value <= most) return value;
  throw new BadInput(`--${name} ${given}: it must be a whole number from ${least} to ${most}`);
}

/**
 * The key that requests are made with. It comes by the environment alone, so that it stands in no list of processes.
 * @returns null where there is none
 * @throws BadInput, without the key, where it can't be sent
 */
export function keyOf(environment: NodeJS.ProcessEnv): string | null {
  const key = environment.QURABLE_ADMIN_KEY ?? '';
  if (key === '') return null;
  if (/^[\x21-\x7e]{1,8192}$/.test(key)) return key;
  throw new BadInput('QURABLE_ADMIN_KEY has a space, a line break or another character that no key has');
}

function parse(command: string, args: string[], flags: Record<string, 'string' | 'boolean'>) {
  const types = { help: 'boolean', stage: 'string', region: 'string', ...flags } as const;
  const options = Object.fromEntries(Object.entries(types).map(([name, type]) => [name, { type }]));
  try {
    return parseArgs({ args, options }).values as Record<string, string | boolean | undefined> &
      Record<string, string | boolean>;
  } catch (error) {
    const [sentence] = (error as Error).message.split(/\. |\n/);
    throw new BadInput(`${sentence}; npm run ${command} -- --help lists what there is`);
  }
}

function addressOf(given: string): string {
  const url = URL.parse(given);
  const isPlain = url !== null && /^https?:$/.test(url.protocol) && url.username === '' && url.password === '';
  if (isPlain && url.pathname === '/' && url.search === '' && url.hash === '') return url.origin;
  throw new BadInput('--url must be http:// or https://, a name and perhaps a port, such as http://127.0.0.1:3000');
}

function regionOf(given: string | null): string | null {
  if (given === null || /^[a-z]{2}(-[a-z]+){1,2}-[1-9]$/.test(given)) return given;
  throw new BadInput(`--region ${given}: it must be a region such as us-east-1`);
}
