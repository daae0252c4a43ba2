import { createReadStream, existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { openKnownBooks } from '../books/known-books.ts';
import { systemClock } from '../clock.ts';
import { readConfig } from '../config.ts';
import { openColdTurns } from '../db/cold-turns.ts';
import { neededSchemaVersion, schemaVersion } from '../db/migrate.ts';
import { openPool } from '../db/pool.ts';
import { openDeckMarks } from '../decks/deck-marks.ts';
import { openKnownDecks } from '../decks/known-decks.ts';
import { checkCodeSecret } from '../patterns/code-secret.ts';
import { openKnownPatterns } from '../patterns/known-patterns.ts';
import { systemRandom } from '../random.ts';
import { afterRestore, type RestoreCore } from './after-restore.ts';
import { printMarks, printRestoreReport } from './print-restore.ts';
import { readDeckMarks } from './read-deck-marks.ts';
import { defaultMargin, marginMaxShare, voidsTooMuch } from './restore-margin-rules.ts';
import { booksOfRestore, resumeBooks } from './resume-books.ts';

const usage = `Makes a database that went back in time safe to deal from: after a restore from a backup, and after the
promotion of an asynchronous replica. Without --apply it changes nothing and says what it would do.

  after-restore [--marks <file>|<address>|-]... [--margin <codes>] [--pattern-margin <codes>] [--apply] [flags]
  after-restore --resume

It DESTROYS, for good: in every deck, the codes from where the database believes to be up to the deck's last mark in the
log, and a margin of codes beyond that, are voided. Those up to the mark were handed out, or were about to be, and nobody
can tell to whom. Codes that the log says were taken by name are voided one by one. Every active book is paused.

--marks           the tasks' log from the backup on ("-": standard input; or an https:// address to read it from), with its
                  lines "deck marks"; may be given more than once. An installation by npm start keeps them, and they are
                  found without being told.
--margin          codes to void in each deck beyond its mark; 0 where no line of marks is missing, else 256 for each that
                  is; must be said where there are no marks
--pattern-margin  numbers to pass in each pattern beyond its mark; 0 with marks, must be said without
--apply           carries it out
--resume          sets the books active again that --apply paused and nobody has changed since

Flags, each of which --apply asks for where it is needed:
--void-whole-decks  the margin may void more than ${marginMaxShare * 100} % of a deck, or all that is left of it
--while-running     although an API is connected to the database
--again             although books are paused by an earlier run: the margin is voided once more

Exit codes: 0 done, or the dry run has ended; 1 trouble; 2 a flag is needed, and nothing was changed.`;

/** Something that goes on only if it is asked for. */
class FlagNeeded extends Error {}

interface Flags {
  apply: boolean;
  'void-whole-decks': boolean;
  'while-running': boolean;
  again: boolean;
}

try {
  const off = { type: 'boolean', default: false } as const;
  const { values } = parseArgs({
    options: {
      marks: { type: 'string', multiple: true },
      margin: { type: 'string' },
      'pattern-margin': { type: 'string' },
      apply: off,
      resume: off,
      'void-whole-decks': off,
      'while-running': off,
      again: off,
      help: off,
    },
  });
  if (values.help) console.log(usage);
  else if (values.resume) await resume();
  else await run(values.marks ?? keptMarks(), values.margin, values['pattern-margin'], values);
} catch (error) {
  console.error(`after-restore: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = error instanceof FlagNeeded ? 2 : 1;
}

async function run(files: string[], margin: string | undefined, patternMargin: string | undefined, flags: Flags) {
  const marks = files.length === 0 ? null : await readDeckMarks(linesOf(files));
  const names = files.map(nameOf);
  if (marks?.lines === 0) throw new Error(`there is no line "deck marks" in ${names.join(', ')}`);
  const order = {
    marks,
    margin: wholeNumber('--margin', margin, marks && defaultMargin(marks)),
    patternMargin: wholeNumber('--pattern-margin', patternMargin, marks && 0),
  };
  printMarks(names, marks, order.margin);
  await withDatabase(async (core) => {
    const plan = await afterRestore(core, { ...order, apply: false });
    const needed = [
      ...((await isServed(core)) ? ['--while-running: an API is connected to the database; stop it'] : []),
      ...(order.margin > 0 && (await booksOfRestore(core)).length > 0
        ? [
            '--again: an earlier run has paused books, and the margin would be voided once more; say --margin 0 otherwise',
          ]
        : []),
      ...(plan.decks.some(voidsTooMuch)
        ? [`--void-whole-decks: the margin of ${order.margin} voids more than ${marginMaxShare * 100} % of a deck`]
        : []),
    ];
    const missing = needed.filter((line) => !flags[line.slice(2, line.indexOf(':')) as keyof Flags]);
    if (!flags.apply) {
      printRestoreReport(plan, 'would be');
      console.log('\nNothing was changed: this was a dry run. Say --apply to carry it out.');
      for (const line of missing) console.log(`It will need ${line}`);
      return;
    }
    if (missing.length > 0) {
      printRestoreReport(plan, 'would be');
      throw new FlagNeeded(`nothing was changed; say ${missing.join('\nand say ')}`);
    }
    printRestoreReport(await afterRestore(core, { ...order, apply: true }), 'were');
    console.log('\nLook at the books, then set them active again with after-restore --resume, or one by one.');
  });
}

async function resume(): Promise<void> {
  const resumed = await withDatabase(resumeBooks);
  for (const id of resumed) console.log(`active again: book ${id}`);
  if (resumed.length === 0) console.log('no book is paused by after-restore');
}

/** Opens only what a restore needs. The connections have a name of their own, as those of the API have theirs. */
async function withDatabase<T>(work: (core: RestoreCore) => Promise<T>): Promise<T> {
  const config = readConfig(process.env);
  const pool = openPool(config.database, { max: 2, applicationName: 'qurable after-restore', onError: () => {} });
  try {
    const version = await schemaVersion(pool);
    if (version < neededSchemaVersion)
      throw new Error('the schema of the database is too old: run the migrations first');
    await checkCodeSecret(pool, config);
    return await work({
      config,
      clock: systemClock,
      pool,
      // Nobody else is served, so one pool does for all.
      coldPool: pool,
      coldTurns: openColdTurns(),
      random: systemRandom,
      knownBooks: openKnownBooks(pool),
      knownDecks: openKnownDecks(),
      knownPatterns: openKnownPatterns(config),
      // Books are paused and resumed here, and none is opened: no deck is made that a mark could tell of.
      deckMarks: openDeckMarks(async () => {}, systemRandom),
    });
  } finally {
    await pool.end();
  }
}

async function isServed({ pool }: Pick<RestoreCore, 'pool'>): Promise<boolean> {
  const { rows } = await pool.query<{ served: boolean }>(
    `select exists (select from pg_stat_activity
        where datname = current_database() and application_name in ('qurable', 'qurable marks')) as served`,
  );
  return rows[0]!.served;
}

/** Where `npm start` keeps its marks, the oldest first. */
function keptMarks(): string[] {
  const home = process.env.QURABLE_HOME;
  if (!home) return [];
  return ['deck-marks.log.2', 'deck-marks.log.1', 'deck-marks.log'].map((name) => join(home, name)).filter(existsSync);
}

async function* linesOf(files: string[]): AsyncIterable<string> {
  for (const file of files) {
    if (isAddress(file)) yield* linesAt(file);
    else yield* createInterface({ input: file === '-' ? process.stdin : createReadStream(file), crlfDelay: Infinity });
  }
}

/** A download that breaks off is an error, never the end of the marks: decks would be dealt from too early. */
async function* linesAt(address: string): AsyncIterable<string> {
  const answer = await fetch(address);
  if (!answer.ok || answer.body === null)
    throw new Error(`the marks at ${nameOf(address)} can't be read: ${answer.status}`);
  let rest = '';
  for await (const text of answer.body.pipeThrough(new TextDecoderStream())) {
    const lines = `${rest}${text}`.split(/\r?\n/);
    rest = lines.pop()!;
    yield* lines;
  }
  if (rest !== '') yield rest;
}

function isAddress(file: string): boolean {
  return /^https?:\/\//.test(file);
}

/** What is printed of a file: an address without its query, which may be a signature. */
function nameOf(file: string): string {
  return isAddress(file) ? file.split('?', 1)[0]! : file;
}

function wholeNumber(name: string, text: string | undefined, fallback: number | null): number {
  if (text === undefined && fallback !== null) return fallback;
  if (text === undefined) throw new Error(`${name} must be said where there are no --marks; --help tells more`);
  if (!/^\d{1,12}$/.test(text)) throw new Error(`${name} must be a whole number of codes`);
  return Number(text);
}
