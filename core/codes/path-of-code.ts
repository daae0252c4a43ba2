import { readCode } from './code-rules.ts';

/** A coupon's path for idempotency: two spellings of one code are one path. */
export function pathOfCode(code: string): string {
  const read = readCode(code);
  return `coupons/${read.ok ? read.code : code}`;
}
