import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Mutant, mutants } from './mutant-list.ts';

/** The part of Jest's JSON report that is looked at here. */
interface Report {
  testResults: { assertionResults: { ancestorTitles: string[]; title: string; status: string }[] }[];
}

type Verdict = 'caught' | 'SURVIVED' | 'NOT TRIED';

const root = fileURLToPath(new URL('../..', import.meta.url));
const stays = ['node_modules', '.git', '.qurable'];
/** A test mostly waits for its servers to start, so two processors are busy with two of them. */
const atOnce = 2;

/**
 * Takes out each lock, guard and rule of the list in a copy of the project, and runs there the test that is about it:
 * `npm run test:mutants`. A test that stays green without its guard proves nothing, and ends this with exit code 1. A
 * part of what is taken out may be named to try that alone. Two are tried at a time, each in a copy of its own.
 */
async function main(wanted: string | undefined): Promise<number> {
  const chosen = mutants.filter(({ takesOut }) => wanted === undefined || takesOut.includes(wanted));
  const waiting = [...chosen];
  let caught = 0;
  const tryInTurn = async () => {
    const copy = copyProject();
    try {
      for (let mutant = waiting.shift(); mutant !== undefined; mutant = waiting.shift()) {
        const verdict = await tryOut(mutant, copy);
        if (verdict === 'caught') caught += 1;
        console.log(`${verdict.padEnd(9)}  without ${mutant.takesOut}: ${mutant.testFile} › "${mutant.caughtBy}"`);
      }
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, chosen.length) }, tryInTurn));
  console.log(`Mutants: ${caught} caught, ${chosen.length - caught} not`);
  return caught === chosen.length && caught > 0 ? 0 : 1;
}

function copyProject(): string {
  const copy = mkdtempSync(join(tmpdir(), 'qurable-mutants-'));
  cpSync(root, copy, { recursive: true, filter: (source) => !stays.includes(relative(root, source)) });
  symlinkSync(join(root, 'node_modules'), join(copy, 'node_modules'));
  return copy;
}

/** Changes the copy, and puts it back as it was. */
async function tryOut(mutant: Mutant, copy: string): Promise<Verdict> {
  const file = join(copy, mutant.file);
  const text = readFileSync(file, 'utf8');
  const changed = mutate(text, mutant);
  if (changed === null) return 'NOT TRIED';
  writeFileSync(file, changed);
  try {
    return await runTest(mutant, copy);
  } finally {
    writeFileSync(file, text);
  }
}

/** The file's text without what is taken out; null where the list no longer fits it. */
function mutate(text: string, { edits, file, takesOut }: Mutant): string | null {
  let changed = text;
  for (const { find, replace } of edits) {
    if (changed.split(find).length !== 2) {
      console.log(`The mutant without ${takesOut} no longer fits ${file}, which must have once: ${find}`);
      return null;
    }
    changed = changed.replace(find, () => replace);
  }
  return changed;
}

/** Only the named test itself may catch it: a file that can't even be run proves nothing. */
async function runTest({ testFile, caughtBy }: Mutant, copy: string): Promise<Verdict> {
  const outputFile = join(copy, 'mutant-report.json');
  rmSync(outputFile, { force: true });
  const flags = ['--no-warnings', join(root, 'node_modules/jest/bin/jest.js')];
  const title = caughtBy.replace(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
  const jest = spawn(
    process.execPath,
    [...flags, '--forceExit', '--json', `--outputFile=${outputFile}`, testFile, '-t', title],
    { cwd: copy, stdio: 'ignore' },
  );
  await once(jest, 'exit');
  if (!existsSync(outputFile)) return 'NOT TRIED';
  const { testResults } = JSON.parse(readFileSync(outputFile, 'utf8')) as Report;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const statuses = tests
    .filter(({ ancestorTitles, title }) => [...ancestorTitles, title].join(' ').includes(caughtBy))
    .map(({ status }) => status);
  if (statuses.includes('failed')) return 'caught';
  return statuses.includes('passed') ? 'SURVIVED' : 'NOT TRIED';
}

process.exitCode = await main(process.argv[2]);
