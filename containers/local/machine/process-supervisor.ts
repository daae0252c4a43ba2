/**
 * The supervisor process that supervise-process.ts forks. It starts one program and ends it when the channel to its
 * parent closes. It does nothing else, so that little can make it fail.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { rmSync } from 'node:fs';
import type { SupervisedCommand, SupervisorOrder, SupervisorReport } from './supervisor-orders.ts';

let running: ChildProcess | null = null;
let stopSteps: SupervisedCommand['stopSteps'] = [];
let toDelete: string[] = [];

// Only the end of the parent stops it: a signal to the whole session must not end the program before the API has
// drained.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});

process.on('message', (order: SupervisorOrder) => {
  if ('start' in order) start(order.start);
  else toDelete = order.deleteAfterwards;
});

process.once('disconnect', () => {
  if (running === null) finish();
  for (const { signal, afterMillis } of stopSteps) setTimeout(() => running?.kill(signal), afterMillis);
});

function start(command: SupervisedCommand): void {
  const child = spawn(command.file, command.args, {
    cwd: command.workingDirectory,
    stdio: [command.input === undefined ? 'ignore' : 'pipe', 'inherit', 'inherit'],
    ...command.account,
  });
  running = child;
  stopSteps = command.stopSteps;
  child.once('spawn', () => report({ kind: 'started', pid: child.pid ?? 0 }));
  child.once('error', (error) => ended(error.message));
  child.once('exit', (code, signal) => ended(signal === null ? `exit code ${code}` : `signal ${signal}`));
  // A program that ends before it has read its input is reported by its exit, not by the broken pipe.
  child.stdin?.on('error', () => {});
  child.stdin?.end(command.input);
}

function ended(how: string): void {
  running = null;
  report({ kind: 'ended', how });
  if (!process.connected) finish();
}

function report(message: SupervisorReport): void {
  if (process.connected) process.send?.(message);
}

function finish(): never {
  for (const path of toDelete) rmSync(path, { recursive: true, force: true });
  process.exit(0);
}
