import { createHash } from 'node:crypto';
import { type Static, Type } from 'typebox';
import { Compile } from 'typebox/schema';
import { ArchiveError } from './archive-error.ts';
import type { ArchiveStore } from './archive-store.ts';

/** The name of the layout: another one of lines or of manifests gets another name. */
export const archiveFormat = 'qurable-events/1';

/** Where an event stands: tenant, deck, position and revision, by the database's internal numbers. */
export const EventKey = Type.Tuple([Type.Integer(), Type.Integer(), Type.Integer(), Type.Integer()]);
export type EventKey = Static<typeof EventKey>;

/** One file of a month: lines of JSON, compressed by gzip, in the order of their keys. */
export const ArchivedFile = Type.Object({
  path: Type.String({ pattern: '^[\\w./-]+$' }),
  rows: Type.Integer({ minimum: 1 }),
  bytes: Type.Integer({ minimum: 1 }),
  sha256: Type.String({ pattern: '^[0-9a-f]{64}$' }),
  first: EventKey,
  last: EventKey,
});
export type ArchivedFile = Static<typeof ArchivedFile>;

/**
 * What a month's export consists of. It is written again after each file, so that an export that was broken off goes on
 * where it stopped; only one that is complete is an export.
 */
export const Manifest = Type.Object({
  format: Type.Literal(archiveFormat),
  month: Type.String({ pattern: '^\\d{4}-(0[1-9]|1[0-2])$' }),
  complete: Type.Boolean(),
  /** Only events before this moment are in it. ISO 8601. */
  until: Type.String(),
  rows: Type.Integer({ minimum: 0 }),
  /** The public ids of the tenants in it, by their internal numbers: numbers alone would fit any database. */
  tenants: Type.Record(Type.String(), Type.String()),
  files: Type.Array(ArchivedFile),
});
export type Manifest = Static<typeof Manifest>;

const validator = Compile(Manifest);

/** The path of a manifest. @param folder `2026-01`, or `open/2026-11` for a month that is not over */
export function manifestPath(folder: string): string {
  return `${folder}/manifest.json`;
}

/** SHA-256 in hexadecimal. */
export function sha256(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Writes a manifest, with a checksum of itself. */
export async function writeManifest(store: ArchiveStore, folder: string, manifest: Manifest): Promise<void> {
  const text = JSON.stringify(manifest);
  const sealed = JSON.stringify({ ...manifest, sha256: sha256(text) }, null, 1);
  await store.put(manifestPath(folder), Buffer.from(`${sealed}\n`));
}

/**
 * Reads a manifest; null where there is none.
 * @throws ArchiveError where it is not one, was changed, or is of another format
 */
export async function readManifest(store: ArchiveStore, folder: string): Promise<Manifest | null> {
  const bytes = await store.get(manifestPath(folder));
  if (bytes === null) return null;
  const where = `${store.name}/${manifestPath(folder)}`;
  const parsed = parse(bytes);
  if (parsed === null) throw new ArchiveError(`${where} is no manifest: put the one back that the export wrote`);
  const { sha256: seal, ...manifest } = parsed;
  if (manifest.format !== archiveFormat)
    throw new ArchiveError(
      `${where} is of format ${String(manifest.format)}, and this version reads ${archiveFormat}: use the version that wrote it`,
    );
  if (seal !== sha256(JSON.stringify(manifest)))
    throw new ArchiveError(
      `${where} was changed after the export: its checksum does not fit. Put an earlier copy back, or remove the folder and export again while the database has the month`,
    );
  if (!validator.Check(manifest)) throw new ArchiveError(`${where} lacks fields that a manifest has: export again`);
  return manifest as Manifest;
}

function parse(bytes: Buffer): Record<string, unknown> | null {
  try {
    const parsed: unknown = JSON.parse(bytes.toString('utf8'));
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? { ...parsed } : null;
  } catch {
    return null;
  }
}
