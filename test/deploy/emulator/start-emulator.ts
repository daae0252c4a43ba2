import { spawn, spawnSync } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from '../../support/bare-environment.ts';

/** An AWS of one's own: moto with what it lacks, on a free port of 127.0.0.1. */
export type Emulator = {
  /** What AWS_ENDPOINT_URL is set to. */
  url: string;
  /** Moves the clock of the functions, and of nothing else, so that it shows this moment now; null: the machine's. */
  setClock(moment: Date | null): Promise<void>;
  /** Sets a service quota as support does, by `service/code`; a new account's are there from the start. */
  setQuota(quota: 'fargate/L-3032A538' | 'lambda/L-B99A9384', value: number): Promise<void>;
  /** Lets a stack stand as if its last update had ended so. */
  setStackStatus(stack: string, status: string): Promise<void>;
  /** Ends it and removes what it wrote. It also ends with the process that started it, however that ends. */
  stop(): Promise<void>;
};

/** What an emulator may be told. */
export type EmulatorOptions = {
  /** A superuser's URL of the PostgreSQL in which RDS instances are databases; without it they are only described. */
  postgresUrl?: string;
  /** A PEM file that functions get in the place of the runtime's certificate authorities. */
  certificateFile?: string;
  /** What the orders of work are drawn from: of resources that do not lead to each other either may come first. */
  order?: string;
};

/** Some seconds on an idle machine. */
const startMillis = 300_000;
const server = fileURLToPath(new URL('server.py', import.meta.url));
const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url));

/** Whether this machine has what the emulator is made of. */
export function canEmulate(): boolean {
  // To import them takes a second and more.
  const look = 'from importlib.util import find_spec as find; exit(not (find("moto") and find("flask")))';
  return spawnSync('python3', ['-c', look], { stdio: 'ignore' }).status === 0;
}

/** Starts an emulator with nothing in it. */
export async function startEmulator({ postgresUrl, certificateFile, order }: EmulatorOptions = {}): Promise<Emulator> {
  const child = spawn('python3', ['-u', server], {
    stdio: ['pipe', 'pipe', 'pipe'],
    env: {
      ...bareEnvironment(),
      HOME: process.env.HOME,
      PYTHONDONTWRITEBYTECODE: '1',
      // A template is deployed by whoever the test says it is; roles are read back, not enforced.
      MOTO_ALLOW_NONEXISTENT_REGION: 'false',
      EMULATOR_NODE: process.execPath,
      EMULATOR_NODE_MODULES: modules,
      ...(postgresUrl === undefined ? {} : { EMULATOR_POSTGRES_URL: postgresUrl }),
      ...(certificateFile === undefined ? {} : { EMULATOR_CERTIFICATES: certificateFile }),
      ...(order === undefined ? {} : { EMULATOR_ORDER: order }),
    },
  });
  const errors: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => {
    errors.push(line);
    if (errors.length > 400) errors.shift();
    if (process.env.EMULATOR_VERBOSE) process.stderr.write(`emulator: ${line}\n`);
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const port = await new Promise<string>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the emulator did not start in time')), startMillis);
    createInterface({ input: child.stdout }).once('line', (line) => {
      clearTimeout(timer);
      resolve(line);
    });
    child.once('exit', () => reject(new Error(`the emulator ended:\n${errors.join('\n')}`)));
  });
  const url = `http://127.0.0.1:${port}`;
  const control = async (what: string, body: object) => {
    const answer = await fetch(`${url}/_emulator/${what}`, { method: 'PUT', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`${what} can’t be set: ${answer.status}`);
  };
  return {
    url,
    setClock: (moment) => control('clock', { offsetMillis: moment === null ? 0 : moment.getTime() - Date.now() }),
    setQuota: (quota, value) => control('quotas', { [quota]: value }),
    setStackStatus: (stack, status) => control('stacks', { [stack]: status }),
    stop: async () => {
      child.stdin.end();
      await ended;
    },
  };
}
