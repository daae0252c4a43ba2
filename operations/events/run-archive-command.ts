import { type ParseArgsConfig, parseArgs } from 'node:util';
import type pg from 'pg';
import {
  type ArchiveStore,
  type Config,
  describeDatabaseTrouble,
  readConfig,
  readDatabase,
  readEventArchive,
  withArchiveDatabase,
} from '../../core/index.ts';
import { openBucketArchive } from './bucket-archive.ts';
import { openFolderArchive } from './folder-archive.ts';

/** What each command on exported events works with. */
export interface ArchiveCommand {
  pool: pg.Pool;
  store: ArchiveStore;
  /** Whole months that stay in the database; null: all. */
  keepMonths: number | null;
  /** Reads all of the configuration, for a command that needs the code secret. */
  config(): Config;
}

type Values<O extends Options> = ReturnType<typeof parseArgs<{ options: O }>>['values'];
type Options = NonNullable<ParseArgsConfig['options']>;
const shared = { archive: { type: 'string' }, help: { type: 'boolean' } } as const;

/**
 * Runs a command on exported events: with the place that `--archive` or EVENTS_ARCHIVE names, and the database of
 * DATABASE_URL or DB_HOST. Sets the exit code: 0, or 1 with one line on the standard error.
 * @param usage what `--help` prints; it begins with the command's name
 * @param options beside `--archive` and `--help`
 */
export async function runArchiveCommand<const O extends Options>(
  usage: string,
  options: O,
  work: (command: ArchiveCommand, values: Values<O>) => Promise<void>,
): Promise<void> {
  const name = usage.slice(0, usage.indexOf(':'));
  try {
    const { values } = parseArgs({ options: { ...shared, ...options } });
    const { archive: place, help } = values as { archive?: string; help?: boolean };
    if (help) return console.log(usage);
    const environment = place === undefined ? process.env : { ...process.env, EVENTS_ARCHIVE: place };
    const archive = readEventArchive(environment);
    const address = readDatabase(environment);
    const store =
      'folder' in archive.place
        ? openFolderArchive(archive.place.folder)
        : await openBucketArchive(archive.place.bucket, archive.place.prefix);
    await withArchiveDatabase(address, name, (pool) =>
      work({ pool, store, keepMonths: archive.keepMonths, config: () => readConfig(environment) }, values as Values<O>),
    ).catch((error: unknown) => {
      throw new Error(describeDatabaseTrouble(error, address) ?? messageOf(error), { cause: error });
    });
  } catch (error) {
    console.error(`${name}: ${messageOf(error)}`);
    process.exitCode = 1;
  }
}

function messageOf(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).replaceAll(/\s*\n\s*/g, ' ');
}
