import { type ChildProcess, fork } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EmbeddedStartError } from './embedded-start-error.ts';
import { inspectProcess } from './inspect-process.ts';
import type { StopStep, SupervisedCommand, SupervisorOrder, SupervisorReport } from './supervisor-orders.ts';

const pollMillis = 20;

/** A program that runs under its supervisor. */
export type SupervisedProcess = {
  /** The program's process id (not the supervisor's). */
  pid: number;
  /** Resolves with a description ("exit code 1", "signal SIGKILL") when the program has ended; never rejects. */
  exited: Promise<string>;
  /** Has the supervisor delete files and directories in the end, however this process ends. */
  deleteAfterwards(paths: string[]): void;
  /** Ends the program by its stop steps and resolves when it and its supervisor are gone. */
  stop(): Promise<void>;
};

/**
 * Starts a program under a small supervisor process in a session of its own. So a Ctrl-C in the terminal reaches this
 * process alone, which can drain before it stops its servers. And if this process is killed, by kill -9 for example,
 * the supervisor sees its channel close and ends the program.
 *
 * @param logFile what the program writes is appended to this file, which is created with mode 0600.
 * @throws EmbeddedStartError when the program cannot be started at all.
 */
export async function superviseProcess(command: SupervisedCommand, logFile: string): Promise<SupervisedProcess> {
  const log = openSync(logFile, 'a', 0o600);
  const supervisor = fork(new URL('./process-supervisor.ts', import.meta.url), [], {
    detached: true,
    execArgv: [],
    env: plainEnvironment(command.sharesClock),
    stdio: ['ignore', log, log, 'ipc'],
  });
  closeSync(log);
  // The command goes over the channel and not into the arguments, which every user of the machine can read.
  sendOrder(supervisor, { start: command });

  const gone = new Promise<void>((resolve) => supervisor.once('exit', () => resolve()));
  const exited = describeEnd(supervisor);
  const pid = await waitForPid(supervisor, command.file, logFile);
  const program = { pid, startedAt: inspectProcess(pid)?.startedAt };
  const stop = async (): Promise<void> => {
    if (supervisor.connected) supervisor.disconnect();
    await gone;
    await endOrphan(program, command.stopSteps);
  };
  return { pid, exited, deleteAfterwards: (paths) => sendOrder(supervisor, { deleteAfterwards: paths }), stop };
}

function sendOrder(supervisor: ChildProcess, order: SupervisorOrder): void {
  if (supervisor.connected) supervisor.send(order);
}

const neededVariables = /^(PATH|SystemRoot|TEMP|TMPDIR)$/;
const clockVariables = /^(LD_PRELOAD|CLOCK_OFFSET_SECONDS)$/;

/** Drops settings that were meant for this process and would change the program, such as NODE_OPTIONS or PGOPTIONS. */
function plainEnvironment(sharesClock: boolean): NodeJS.ProcessEnv {
  const isKept = (name: string) => neededVariables.test(name) || (sharesClock && clockVariables.test(name));
  const kept = Object.entries(process.env).filter(([name]) => isKept(name));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}

/** Ends the program if its supervisor was killed before it could. */
async function endOrphan(program: { pid: number; startedAt: string | undefined }, steps: StopStep[]): Promise<void> {
  const isRunning = () =>
    program.startedAt !== undefined && inspectProcess(program.pid)?.startedAt === program.startedAt;
  const began = performance.now();
  for (const { signal, afterMillis } of steps) {
    while (isRunning() && performance.now() - began < afterMillis) await delay(pollMillis);
    if (isRunning()) process.kill(program.pid, signal);
  }
  while (isRunning()) await delay(pollMillis);
}

function describeEnd(supervisor: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    supervisor.on('message', (report: SupervisorReport) => {
      if (report.kind === 'ended') resolve(report.how);
    });
    // The supervisor's last report may still be in the channel when its exit is seen.
    supervisor.once('exit', () => void delay(100).then(() => resolve('its supervisor ended')));
  });
}

function waitForPid(supervisor: ChildProcess, file: string, logFile: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const fail = (why: string) => reject(new EmbeddedStartError(`${file} cannot be started: ${why}.`));
    supervisor.on('message', (report: SupervisorReport) => {
      if (report.kind === 'started') resolve(report.pid);
      else fail(report.how);
    });
    supervisor.once('error', (error) => fail(error.message));
    supervisor.once('exit', () => fail(`its supervisor ended, see ${logFile}`));
  });
}
