/** Codes in a block of an uploaded deck. Fixed for good: it says where in deck_blocks a position stands. */
export const blockCodes = 64;

/** What stands between two codes of a block: a character that no code has. */
export const blockSeparator = '\n';

/** The number of the block that holds a position. */
export function blockOf(pos: number): number {
  return Math.floor(pos / blockCodes);
}

/** The codes of a block, in the order of their positions. */
export function splitBlock(text: string): string[] {
  return text.split(blockSeparator);
}

/** Where in its block a position stands, from 0. */
export function placeInBlock(pos: number): number {
  return pos % blockCodes;
}
