import { Readable } from 'node:stream';
import type { Core } from '../../core/core.ts';
import type { HeaderRule, UploadFormat } from '../../core/uploads/formats/row-sink.ts';
import { uploadCodes } from '../../core/uploads/upload-codes.ts';
import type { UploadedDeck } from '../../core/uploads/uploaded-deck.ts';
import { admin } from './open-test-core.ts';

/** Uploads a text as one body, as an administrator of the first tenant; whoever uses its deck sends a code at least. */
export async function uploadText(
  core: Core,
  bookId: string,
  format: UploadFormat,
  text: string,
  header?: HeaderRule,
): Promise<UploadedDeck & { deckId: string }> {
  const body = Readable.from([Buffer.from(text)]);
  const { body: uploaded } = await uploadCodes(core, admin, bookId, { format, header, body }, null);
  return uploaded as UploadedDeck & { deckId: string };
}
