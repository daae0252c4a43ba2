import { alteredSize, blockBytes, type Halves, type Rounds, xorInto } from './ff1-rounds.ts';

/** Halves of any size, in BigInt. */
export function wideHalves(rounds: Rounds): Halves<bigint[]> {
  const { length } = rounds;
  const radix = BigInt(rounds.radix);
  return {
    read(numerals, offset, digits) {
      return Array.from({ length: numerals.length / length }, (_, k) => {
        const start = k * length + offset;
        return numerals.subarray(start, start + digits).reduce((value, numeral) => value * radix + BigInt(numeral), 0n);
      });
    },
    mix(altered, source, round, sign) {
      const modulus = alteredSize(rounds, round);
      for (const [k, y] of wideResults(rounds, source, round).entries()) {
        const mixed = (altered[k]! + BigInt(sign) * y) % modulus;
        altered[k] = mixed < 0n ? mixed + modulus : mixed;
      }
    },
    write(half, numerals, offset, digits) {
      for (let [k, value] of half.entries()) {
        const start = k * length + offset;
        for (let at = start + digits - 1; at >= start; at -= 1) {
          numerals[at] = Number(value % radix);
          value /= radix;
        }
      }
    },
  };
}

/** Steps 6.i to 6.iv for each message of a slice: one AES call for each block of the CBC-MAC and of its lengthening. */
function wideResults(rounds: Rounds, source: readonly bigint[], round: number): bigint[] {
  const tails = wideTails(rounds, source, round);
  const mac = chainBlocks(rounds, tails, source.length);

  const streams = [mac];
  for (let j = 1; j * blockBytes < rounds.resultBytes; j += 1) {
    const counted = Buffer.from(mac);
    for (let last = blockBytes - 1; last < counted.length; last += blockBytes) counted[last] = counted[last]! ^ j;
    streams.push(rounds.encryptBlocks(counted));
  }
  return source.map((_, k) => {
    const hex = streams.map((stream) => stream.toString('hex', k * blockBytes, (k + 1) * blockBytes)).join('');
    return BigInt(`0x${hex.slice(0, rounds.resultBytes * 2)}`);
  });
}

/** The blocks of P || Q that change, one message after another. */
function wideTails({ tail, halfBytes }: Rounds, source: readonly bigint[], round: number): Buffer {
  const tails = Buffer.alloc(source.length * tail.length, tail);
  const number = Buffer.alloc(1 + halfBytes);
  number[0] = round;
  for (const [k, value] of source.entries()) {
    number.write(value.toString(16).padStart(halfBytes * 2, '0'), 1, 'hex');
    xorInto(tails.subarray((k + 1) * tail.length - number.length, (k + 1) * tail.length), number);
  }
  return tails;
}

/** CBC-MAC (algorithm 6) over each message's tail. */
function chainBlocks({ tail, encryptBlocks }: Rounds, tails: Buffer, count: number): Buffer {
  let mac: Buffer = Buffer.alloc(count * blockBytes);
  for (let within = 0; within < tail.length; within += blockBytes) {
    for (let k = 0; k < count; k += 1) {
      const from = k * tail.length + within;
      xorInto(mac.subarray(k * blockBytes, (k + 1) * blockBytes), tails.subarray(from, from + blockBytes));
    }
    mac = encryptBlocks(mac);
  }
  return mac;
}
