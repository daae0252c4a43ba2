import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { bareEnvironment } from '../../support/bare-environment.ts';

/** The aws CLI of this machine, which is loaded once however often a test's scripts call it (see aws_cli.py). */
interface AwsCli {
  /** A folder with a program `aws`. */
  folder: string;
  stop(): Promise<void>;
}

const program = fileURLToPath(new URL('aws_cli.py', import.meta.url));
let started: Promise<AwsCli> | undefined;

/** The folder to put first on the PATH. It is the same for all calls in a test file. */
export async function awsCliFolder(): Promise<string> {
  started ??= startAwsCli();
  return (await started).folder;
}

/** Ends what `awsCliFolder` has started, if it was called. It also ends with this process. */
export async function stopAwsCli(): Promise<void> {
  const running = started;
  started = undefined;
  await (await running)?.stop();
}

async function startAwsCli(): Promise<AwsCli> {
  // What comes first on the PATH may be a script that looks for the Python to start, and takes longer than its program.
  const python = execFileSync('python3', ['-c', 'import sys; print(sys.executable)'], { encoding: 'utf8' }).trim();
  const folder = mkdtempSync(join(tmpdir(), 'qurable-aws-'));
  const socket = join(folder, 'socket');
  const child = spawn(python, [program, 'serve', socket], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...bareEnvironment(), HOME: folder, PYTHONDONTWRITEBYTECODE: '1' },
  });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const isLoaded = await Promise.race([
    new Promise<true>((resolve) => createInterface({ input: child.stdout }).once('line', () => resolve(true))),
    ended.then(() => false),
  ]);
  // Where the CLI is no package of this Python, the folder stays empty, and what comes next on the PATH is called.
  if (isLoaded) {
    // -IS: it needs nothing that is not Python's own, and starts in a tenth of the time.
    const call = `#!/bin/sh\nexec '${python}' -IS '${program}' '${socket}' "$@"\n`;
    writeFileSync(join(folder, 'aws'), call, { mode: 0o755 });
  }
  return {
    folder,
    stop: async () => {
      child.stdin.end();
      await ended;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
