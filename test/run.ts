import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { clockDays, commandOn, hasOtherClocks } from './clock-days.ts';
import { fastSelection } from './fast-selection.ts';
import { type FileReport, filesForSecondTry } from './second-try.ts';

/** The part of Jest's JSON report that is counted here. */
interface Report {
  numPassedTests: number;
  numFailedTests: number;
  numPendingTests: number;
  numFailedTestSuites: number;
  testResults: (FileReport & { assertionResults: { status: string }[] })[];
}

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * `npm test`: the type check, the linter, then every test, and at the end their number by kind. Arguments go to Jest,
 * so `npm test -- races` runs the files with that in their path. `--long` turns the long loops on, and then runs
 * everything again with the machine's clock at each of several days; `--days` does that alone. `--fast` runs, of the
 * tests, what the change at hand reaches, and no other.
 */
async function main(args: string[]): Promise<number> {
  const long = args.includes('--long');
  const days = args.includes('--days');
  const selection = args.filter((argument) => !['--long', '--days', '--fast'].includes(argument));
  if (selection.length === 0 && !(await isClean())) return 1;
  const environment = long ? { ...process.env, QURABLE_TEST_LONG: '1' } : process.env;
  const tests = args.includes('--fast') ? [...fastSelection(root), ...selection] : selection;
  const isGood = days || isGreen(tests, environment);
  return (long || days ? isGreenOnDays(selection) : true) && isGood ? 0 : 1;
}

/** @param before a command that runs the one behind it */
function isGreen(selection: string[], environment: NodeJS.ProcessEnv, before: string[] = []): boolean {
  const report = runJest(selection, environment, before);
  if (report === null) return false;
  printCounts(report);
  if (report.numPassedTests === 0) return false;
  return isWithoutRed(report) || isGreenAlone(filesForSecondTry(report.testResults, root), environment, before);
}

const isWithoutRed = (report: Report) => report.numFailedTests + report.numFailedTestSuites === 0;

/**
 * On CI alone, where nobody is there to look whether the machine stalled. What is green now is named all the same:
 * such a test leans on the machine, and is to be mended.
 */
function isGreenAlone(files: string[], environment: NodeJS.ProcessEnv, before: string[]): boolean {
  if (process.env.CI !== 'true' || files.length === 0) return false;
  console.log(`\nRED beside the others, tried once more alone: ${files.join(', ')}`);
  const report = runJest(['--runInBand', '--runTestsByPath', ...files], environment, before);
  if (report === null || !isWithoutRed(report) || report.numPassedTests === 0) return false;
  for (const file of files) console.log(`UNSTEADY: ${file} was red beside the others and green alone; mend it.`);
  return true;
}

/** Each day has a run of its own, to its end, whatever the others bring. */
function isGreenOnDays(selection: string[]): boolean {
  if (!hasOtherClocks()) {
    console.error('\nSKIPPED: this machine lacks a C compiler, so nothing was run on other days.\n');
    return process.env.CI !== 'true';
  }
  const reds = clockDays.filter((day) => {
    console.log(`On ${day.name}, ${day.at}:`);
    return !isGreen(selection, process.env, commandOn(day));
  });
  for (const { name } of reds) console.log(`FAILED on ${name}`);
  return reds.length === 0;
}

/** At the same time: each type check takes one processor. */
async function isClean(): Promise<boolean> {
  const tsc = 'node_modules/typescript/bin/tsc';
  const checks = await Promise.all([
    runs('type check', tsc, ['--noEmit']),
    runs('type check of the console', tsc, ['--noEmit', '-p', 'containers/console']),
    runs('format and lint', 'node_modules/@biomejs/biome/bin/biome', ['check', '--error-on-warnings', '.']),
  ]);
  return checks.every((isGood) => isGood);
}

async function runs(what: string, program: string, args: string[]): Promise<boolean> {
  const started = performance.now();
  const child = spawn(process.execPath, [join(root, program), ...args], { cwd: root, stdio: 'inherit' });
  const [status] = await once(child, 'close');
  const seconds = Math.round((performance.now() - started) / 100) / 10;
  console.log(`${what}: ${status === 0 ? 'clean' : 'FAILED'} (${seconds} s)`);
  return status === 0;
}

function runJest(selection: string[], env: NodeJS.ProcessEnv, before: string[]): Report | null {
  const folder = mkdtempSync(join(tmpdir(), 'qurable-report-'));
  const outputFile = join(folder, 'report.json');
  try {
    const jest = join(root, 'node_modules/jest/bin/jest.js');
    // Its workers have the same: with more room for new objects the collector comes less often.
    const flags = ['--no-warnings', '--max-semi-space-size=32', jest, '--json', `--outputFile=${outputFile}`];
    const [program, ...args] = [...before, process.execPath, ...flags, ...selection];
    // Jest tells its progress on stderr; what --json prints on stdout is in the file already.
    spawnSync(program!, args, { cwd: root, stdio: ['ignore', 'ignore', 'inherit'], env });
    return JSON.parse(readFileSync(outputFile, 'utf8')) as Report;
  } catch {
    console.error('Jest ended without a report.');
    return null;
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function printCounts(report: Report): void {
  const byKind = new Map<string, number>();
  for (const { name, assertionResults } of report.testResults) {
    const kind = relative(join(root, 'test'), name).split(sep)[0] ?? 'other';
    const passed = assertionResults.filter(({ status }) => status === 'passed').length;
    byKind.set(kind, (byKind.get(kind) ?? 0) + passed);
  }
  for (const [kind, count] of [...byKind].sort()) console.log(`${kind}: ${count} tests`);
  const { numPassedTests: passed, numFailedTests: failed, numPendingTests: skipped } = report;
  console.log(`Tests: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}

process.exitCode = await main(process.argv.slice(2));
