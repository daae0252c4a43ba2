import { createCipheriv } from 'node:crypto';

/** Rounds of FF1's Feistel network. */
export const roundCount = 10;
/** Bytes of a block of AES. */
export const blockBytes = 16;

/** What the ten rounds of every message share. */
export interface Rounds {
  readonly radix: number;
  readonly length: number;
  /** Numerals in the left half: `u` of the standard. */
  readonly leftLength: number;
  /** Numerals in the right half, the same or one more: `v` of the standard. */
  readonly rightLength: number;
  /** Bytes that hold a half as a number: `b` of the standard. */
  readonly halfBytes: number;
  /** Bytes of the round function's result: `d` of the standard. */
  readonly resultBytes: number;
  /** The blocks of P || Q that change, with a round and a half of zero and the blocks before them folded in. */
  readonly tail: Buffer;
  /** AES of each block by itself. */
  encryptBlocks(blocks: Uint8Array): Buffer;
}

/**
 * Steps 1 to 5 of the algorithm, and of step 6 what does not depend on the message: P, the tweak and the padding come
 * first in P || Q, so the CBC-MAC over them is the same in every round and is taken once.
 */
export function prepareRounds(key: Uint8Array, radix: number, length: number, tweak: Uint8Array): Rounds {
  const leftLength = Math.floor(length / 2);
  const rightLength = length - leftLength;
  const halfBytes = Math.ceil((BigInt(radix) ** BigInt(rightLength) - 1n).toString(2).length / 8);
  const resultBytes = 4 * Math.ceil(halfBytes / 4) + 4;

  // In ECB mode no block depends on one before it, so one cipher object serves every call.
  const aes = createCipheriv(`aes-${key.length * 8}-ecb`, key, null).setAutoPadding(false);
  const encryptBlocks = (blocks: Uint8Array): Buffer => aes.update(blocks);

  const message = Buffer.alloc(blockBytes + wholeBlocks(tweak.length + 1 + halfBytes));
  message.set([1, 2, 1, 0, radix >> 8, radix & 0xff, roundCount, leftLength & 0xff]);
  message.writeUInt32BE(length, 8);
  message.writeUInt32BE(tweak.length, 12);
  message.set(tweak, blockBytes);

  const tail = message.subarray(message.length - wholeBlocks(1 + halfBytes));
  let state: Uint8Array = new Uint8Array(blockBytes);
  for (let at = 0; at < message.length - tail.length; at += blockBytes) {
    const block = message.subarray(at, at + blockBytes);
    xorInto(block, state);
    state = encryptBlocks(block);
  }
  xorInto(tail, state);
  return { radix, length, leftLength, rightLength, halfBytes, resultBytes, tail, encryptBlocks };
}

function wholeBlocks(bytes: number): number {
  return Math.ceil(bytes / blockBytes) * blockBytes;
}

/** Puts `target XOR mask` into `target`, over the length of the mask. */
export function xorInto(target: Uint8Array, mask: Uint8Array): void {
  for (const [at, byte] of mask.entries()) target[at] = target[at]! ^ byte;
}

/** One half of every message of a slice, as numbers; `Half` is the array that holds them. */
export interface Halves<Half> {
  /** Reads `digits` numerals at `offset` of each message. */
  read(numerals: Uint8Array, offset: number, digits: number): Half;
  /** Adds (`sign` 1) or takes away (-1) the round function of `source`, modulo the size of the altered half. */
  mix(altered: Half, source: Half, round: number, sign: 1 | -1): void;
  /** Writes what `read` read. */
  write(half: Half, numerals: Uint8Array, offset: number, digits: number): void;
}

/** How many values the half has that a round alters: even rounds alter the left one. */
export function alteredSize({ radix, leftLength, rightLength }: Rounds, round: number): bigint {
  return BigInt(radix) ** BigInt(round % 2 === 0 ? leftLength : rightLength);
}
