import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { createFileOnce } from './machine/create-file-once.ts';
import { EmbeddedStartError } from './machine/embedded-start-error.ts';
import { makeDirectory } from './machine/make-directory.ts';

/** The secrets of a local installation, by the names of their variables. */
export type LocalSecrets = {
  JWT_SECRET: string;
  CODE_SECRET: string;
  QURABLE_ADMIN_KEY: string;
  /** Set by hand when CODE_SECRET is rotated, see docs/restore.md. */
  CODE_SECRET_VERSION?: string;
  PREVIOUS_CODE_SECRET?: string;
  PREVIOUS_CODE_SECRET_VERSION?: string;
};

const ofRotation = ['CODE_SECRET_VERSION', 'PREVIOUS_CODE_SECRET', 'PREVIOUS_CODE_SECRET_VERSION'] as const;

/** The secrets and the file that keeps them. */
export type KeptSecrets = { secrets: LocalSecrets; file: string };

/**
 * Makes the secrets of a local installation at its first start and reads them at every later one. CODE_SECRET must be
 * kept as long as the database that was made with it. The database's own password is kept beside its data.
 *
 * @param home the directory for them, made with mode 0700 when missing; the file in it has mode 0600.
 * @throws EmbeddedStartError when the directory is another user's or the file is not what was written.
 */
export function keepSecrets(home: string): KeptSecrets {
  const file = join(home, 'secrets.json');
  let text: string;
  try {
    makeDirectory(home, 0o700);
    text = createFileOnce(file, makeSecrets);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new EmbeddedStartError(`${file} cannot be used: ${why}; set QURABLE_HOME to a directory of yours.`);
  }
  return { secrets: parseSecrets(text, file), file };
}

function makeSecrets(): string {
  const secrets: LocalSecrets = {
    JWT_SECRET: randomBytes(32).toString('base64url'),
    CODE_SECRET: randomBytes(32).toString('base64url'),
    QURABLE_ADMIN_KEY: `qk_${randomBytes(24).toString('base64url')}`,
  };
  return `${JSON.stringify(secrets, null, 2)}\n`;
}

function parseSecrets(text: string, file: string): LocalSecrets {
  const kept = parseObject(text, file);
  const { JWT_SECRET, CODE_SECRET, QURABLE_ADMIN_KEY } = kept;
  if (typeof JWT_SECRET === 'string' && typeof CODE_SECRET === 'string' && typeof QURABLE_ADMIN_KEY === 'string') {
    const rotation = ofRotation.flatMap((name) => (kept[name] === undefined ? [] : [[name, String(kept[name])]]));
    return { JWT_SECRET, CODE_SECRET, QURABLE_ADMIN_KEY, ...Object.fromEntries(rotation) };
  }
  throw new EmbeddedStartError(`${file} must hold JWT_SECRET, CODE_SECRET and QURABLE_ADMIN_KEY as strings.`);
}

function parseObject(text: string, file: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null) return { ...value };
  } catch {
    // The remedy is the same whatever is wrong with it.
  }
  throw new EmbeddedStartError(`${file} is not valid JSON; put back its copy, or delete it together with the data.`);
}
