import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { readConfig } from '../config.ts';
import { silentLog } from '../log.ts';
import { closeCore, openCore } from '../open-core.ts';
import { afterRestore, type RestoreReport } from './after-restore.ts';
import { readDeckMarks } from './read-deck-marks.ts';

const usage = `Makes a restored database safe to deal from. Run it before traffic returns, with the environment of the API.

  after-restore --marks <file>|- [--margin <codes>] [--pattern-margin <codes>]
  after-restore --margin <codes> --pattern-margin <codes>

--marks           the tasks' log from the backup on ("-": standard input), with its lines "deck marks"
--margin          codes to pass in each deck beyond its mark; with marks 20000 unless told
--pattern-margin  numbers to pass in each pattern beyond its mark; with marks 0 unless told`;

/** Two seconds of dealing at full speed, of which the marks miss at most one. */
const marginWithMarks = 20_000;

/** `npm run after-restore`: what was done, or one line of trouble and exit code 1. */
try {
  const { values } = parseArgs({
    options: {
      marks: { type: 'string' },
      margin: { type: 'string' },
      'pattern-margin': { type: 'string' },
      help: { type: 'boolean' },
    },
  });
  if (values.help) console.log(usage);
  else await run(values.marks, values.margin, values['pattern-margin']);
} catch (error) {
  console.error(`after-restore: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}

async function run(file: string | undefined, margin: string | undefined, patternMargin: string | undefined) {
  const order = {
    margin: wholeNumber('--margin', margin, file === undefined ? null : marginWithMarks),
    patternMargin: wholeNumber('--pattern-margin', patternMargin, file === undefined ? null : 0),
    marks: file === undefined ? null : await readDeckMarks(linesOf(file)),
  };
  if (order.marks?.lines === 0) throw new Error(`there is no line "deck marks" in ${file}`);
  const core = await openCore(readConfig(process.env), { log: silentLog });
  try {
    print(await afterRestore(core, order));
  } finally {
    await closeCore(core);
  }
}

function linesOf(file: string): AsyncIterable<string> {
  return createInterface({ input: file === '-' ? process.stdin : createReadStream(file), crlfDelay: Infinity });
}

function wholeNumber(name: string, text: string | undefined, fallback: number | null): number {
  if (text === undefined && fallback !== null) return fallback;
  if (text === undefined) throw new Error(`${name} must be said where there are no --marks; --help tells more`);
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${name} must be a whole number of codes`);
  return Number(text);
}

function print({ pausedBooks, decks, patterns, lostDecks }: RestoreReport): void {
  for (const id of pausedBooks) console.log(`paused book ${id}`);
  for (const { deckId, size, from, to, voided } of decks) {
    console.log(`moved deck ${deckId} from ${from} to ${to} of ${size}: ${voided} codes voided`);
  }
  for (const { template, from, to } of patterns) console.log(`moved pattern ${template} from ${from} to ${to}`);
  for (const key of lostDecks)
    console.log(`lost: deck ${key} was added after the backup; its codes can't be told any more`);
  console.log('Start every task anew if it ran before the restore, then set the paused books active again.');
}
