/** A number without any rounding: a fraction of two whole numbers, the lower one above zero. */
export interface Exact {
  readonly over: bigint;
  readonly under: bigint;
}

const decimal = /^(-?)(\d{1,15})(?:\.(\d{1,15}))?$/;

/**
 * Reads a decimal such as `0.04048`, or a whole number.
 * @throws Error where it is neither; a number with a fraction has been rounded already and is refused
 */
export function exact(given: string | number | bigint): Exact {
  if (typeof given === 'bigint') return { over: given, under: 1n };
  if (typeof given === 'number') {
    if (!Number.isSafeInteger(given)) throw new Error(`${given} is not a whole number`);
    return { over: BigInt(given), under: 1n };
  }
  const found = decimal.exec(given);
  if (found === null) throw new Error(`"${given}" is not a decimal such as 0.045`);
  const [, sign, whole, fraction = ''] = found;
  const digits = BigInt(`${sign}${whole}${fraction}`);
  return reduce(digits, 10n ** BigInt(fraction.length));
}

/** Zero. */
export const nothing = exact(0);

/** The sum of any number of values. */
export function add(...values: Exact[]): Exact {
  return values.reduce((a, b) => reduce(a.over * b.under + b.over * a.under, a.under * b.under), nothing);
}

/** What is left of `from` without `amount`; it may be below zero. */
export function subtract(from: Exact, amount: Exact): Exact {
  return reduce(from.over * amount.under - amount.over * from.under, from.under * amount.under);
}

/** The product of any number of values. */
export function multiply(...values: Exact[]): Exact {
  return values.reduce((a, b) => reduce(a.over * b.over, a.under * b.under), exact(1));
}

/** @throws Error where `by` is zero */
export function divide(value: Exact, by: Exact): Exact {
  if (by.over === 0n) throw new Error('nothing can be divided by zero');
  const sign = by.over < 0n ? -1n : 1n;
  return reduce(value.over * by.under * sign, value.under * by.over * sign);
}

/** Below, at or above zero as `a` is below, at or above `b`. */
export function compare(a: Exact, b: Exact): number {
  const difference = a.over * b.under - b.over * a.under;
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The larger of two values. */
export function larger(a: Exact, b: Exact): Exact {
  return compare(a, b) < 0 ? b : a;
}

/** The smaller of two values. */
export function smaller(a: Exact, b: Exact): Exact {
  return compare(a, b) < 0 ? a : b;
}

/** The least whole number that is not below it. */
export function ceiling({ over, under }: Exact): bigint {
  const whole = over / under;
  return over % under > 0n ? whole + 1n : whole;
}

/** The nearest whole number of hundredths; half a cent goes away from zero. */
export function centsOf(value: Exact): bigint {
  const doubled = value.over * 200n;
  const away = doubled < 0n ? doubled - value.under : doubled + value.under;
  return away / (2n * value.under);
}

/** As text with at most so many digits behind the point, for people: never to be calculated with again. */
export function decimalText(value: Exact, mostDigits: number): string {
  const scaled = centsOf({ over: value.over * 10n ** BigInt(mostDigits), under: value.under * 100n });
  const digits = String(scaled < 0n ? -scaled : scaled).padStart(mostDigits + 1, '0');
  const split = digits.length - mostDigits;
  const fraction = digits.slice(split).replace(/0+$/, '');
  const whole = digits.slice(0, split).replace(/\B(?=(\d{3})+$)/g, ',');
  return `${scaled < 0n ? '-' : ''}${whole}${fraction === '' ? '' : `.${fraction}`}`;
}

/** `-1234567` cents as `-12345.67`. */
export function centsText(cents: bigint): string {
  const digits = String(cents < 0n ? -cents : cents).padStart(3, '0');
  return `${cents < 0n ? '-' : ''}${digits.slice(0, -2)}.${digits.slice(-2)}`;
}

/** `-1234567` cents as `-$12,345.67`. */
export function dollars(cents: bigint): string {
  const [whole, fraction] = centsText(cents < 0n ? -cents : cents).split('.');
  return `${cents < 0n ? '-' : ''}$${whole!.replace(/\B(?=(\d{3})+$)/g, ',')}.${fraction}`;
}

function reduce(over: bigint, under: bigint): Exact {
  let [a, b] = [over < 0n ? -over : over, under];
  while (b !== 0n) [a, b] = [b, a % b];
  return a === 0n ? { over: 0n, under: 1n } : { over: over / a, under: under / a };
}
