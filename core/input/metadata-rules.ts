import { invalidInput } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Metadata } from './shapes.ts';

/**
 * What is wrong with metadata that its shape can't say, in words that follow its name, or null where nothing is: it may
 * have limits.metadataMaxBytes bytes of JSON.
 */
export function metadataProblem(metadata: Metadata): string | null {
  if (Buffer.byteLength(JSON.stringify(metadata)) <= limits.metadataMaxBytes) return null;
  return `must have at most ${limits.metadataMaxBytes} bytes of JSON`;
}

/**
 * Refuses metadata that its shape let pass; there may be none.
 * @throws CouponError `invalid-input` naming `/metadata`
 */
export function refuseLargeMetadata(metadata: Metadata | undefined): void {
  const problem = metadata === undefined ? null : metadataProblem(metadata);
  if (problem !== null) throw invalidInput('/metadata', problem);
}
