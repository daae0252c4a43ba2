import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';

const project = resolve(import.meta.dirname, '../..');
const scripts = '.github/scripts';

/** What some calls answer, for commands that go on with it; every other call answers one word. */
const answers: Record<string, object> = {
  'rds describe-db-instances': {
    DBInstanceClass: 'db.t4g.medium',
    DBSubnetGroup: { DBSubnetGroupName: 'subnets' },
    VpcSecurityGroups: [{ VpcSecurityGroupId: 'sg-1' }],
    DBParameterGroups: [{ DBParameterGroupName: 'parameters' }],
    MaxAllocatedStorage: 500,
    MultiAZ: true,
  },
  'secretsmanager get-secret-value': { password: 'word' },
};

/** A command that was recorded: its program's name and the arguments that the shell gave it. */
export type Command = [string, ...string[]];

/** How a page's commands ended, and what they called. */
export interface Recording {
  status: number | null;
  stderr: string;
  commands: Command[];
}

/**
 * Runs a page's commands in a shell in which `aws`, `npm`, `npx`, `curl` and the project's scripts do nothing but write
 * down how they were called. So the shell itself takes the text apart, and a script that is not there, a name that has
 * no value, and a program that nobody has stop it. Nothing is called, and nothing outside of a folder of its own is
 * written.
 */
export function recordCommands(text: string): Recording {
  const folder = mkdtempSync(join(tmpdir(), 'qurable-runbook-'));
  try {
    const record = join(folder, 'record');
    writeFileSync(record, '');
    mkdirSync(join(folder, 'bin'));
    mkdirSync(join(folder, scripts), { recursive: true });
    for (const program of ['npm', 'npx', 'curl']) writeProgram(folder, `bin/${program}`, program);
    writeProgram(folder, 'bin/aws', 'aws', answersOf());
    for (const script of readdirSync(join(project, scripts)))
      writeProgram(folder, `${scripts}/${script}`, `${scripts}/${script}`);
    copyFileSync(join(project, scripts, 'on-call.sh'), join(folder, scripts, 'on-call.sh'));
    // Without --norc, and with a pipe for its input, Debian's bash takes itself for a remote login's and reads that
    // one's set-up.
    const run = spawnSync('bash', ['--norc', '-euo', 'pipefail', '-c', text], {
      cwd: folder,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { PATH: `${folder}/bin:${dirname(process.execPath)}:/usr/bin:/bin`, RECORD: record },
    });
    const commands = readFileSync(record, 'utf8')
      .split('\x1e')
      .slice(0, -1)
      .map((line) => line.split('\0').slice(0, -1) as Command);
    return { status: run.status, stderr: run.stderr, commands };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function writeProgram(folder: string, path: string, name: string, answer = ''): void {
  const lines = ['#!/bin/bash', `{ printf '%s\\0' '${name}' "$@"; printf '\\x1e'; } >>"$RECORD"`, answer, ''];
  writeFileSync(join(folder, path), lines.join('\n'));
  chmodSync(join(folder, path), 0o755);
}

function answersOf(): string {
  const cases = Object.entries(answers).map(([call, answer]) => `'${call}') echo '${JSON.stringify(answer)}' ;;`);
  return ['case "$1 $2" in', ...cases, '*) echo answer ;;', 'esac'].join('\n');
}
