import { parseArgs } from 'node:util';

/** How much a run does. */
export interface BenchOptions {
  quick: boolean;
  /** Where the JSON goes; null: nowhere. */
  jsonFile: string | null;
  /** Where the plots go; null: nowhere. */
  plotDirectory: string | null;
  /** Parts to run; empty: all. */
  only: string[];
  /** Repeats of each measurement, of which the median counts. */
  repeats: number;
  /** Seconds of one measurement that a ratio is made of. */
  seconds: number;
  /** Seconds of one measurement of anything else. */
  sideSeconds: number;
  /** Coupons that exist already in the flatness part's full database. */
  existingCoupons: number;
  /** Codes of the file that is uploaded. */
  uploadedCodes: number;
  /** Seconds of the unbroken run; 0: none. */
  steadySeconds: number;
}

const quick = {
  repeats: 3,
  seconds: 1,
  sideSeconds: 1,
  existingCoupons: 200_000,
  uploadedCodes: 200_000,
  steadySeconds: 0,
};
const full = {
  repeats: 3,
  seconds: 6,
  sideSeconds: 3,
  existingCoupons: 10_000_000,
  uploadedCodes: 1_000_000,
  steadySeconds: 300,
};

/** Reads the command line. Throws on an option that there is none of. */
export function readOptions(args: string[]): BenchOptions {
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      plots: { type: 'string' },
      only: { type: 'string' },
      seconds: { type: 'string' },
      repeats: { type: 'string' },
      existing: { type: 'string' },
    },
  });
  const scale = values.quick ? quick : full;
  return {
    ...scale,
    quick: values.quick,
    jsonFile: values.json ?? null,
    plotDirectory: values.plots ?? null,
    only: values.only?.split(',') ?? [],
    repeats: Number(values.repeats ?? scale.repeats),
    seconds: Number(values.seconds ?? scale.seconds),
    sideSeconds: Number(values.seconds ?? scale.sideSeconds),
    existingCoupons: Number(values.existing ?? scale.existingCoupons),
  };
}
