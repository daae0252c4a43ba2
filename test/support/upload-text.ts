import { Readable } from 'node:stream';
import { type UploadedDeck, uploadCodes } from '../../core/codes/upload-codes.ts';
import type { UploadFormat } from '../../core/codes/upload-rows.ts';
import type { Core } from '../../core/core.ts';
import { admin } from './open-test-core.ts';

/** Uploads a text as one body, as an administrator of the first tenant. */
export async function uploadText(
  core: Core,
  bookId: string,
  format: UploadFormat,
  text: string,
): Promise<UploadedDeck> {
  const body = Readable.from([Buffer.from(text)]);
  return (await uploadCodes(core, admin, bookId, { format, body }, null)).body;
}
