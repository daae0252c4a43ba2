import { relative, sep } from 'node:path';
import { stripVTControlCharacters } from 'node:util';

/** Of Jest's JSON report, what says whether a red file gets a second try. */
export interface FileReport {
  /** Its whole path. */
  name: string;
  status: string;
  /** What Jest printed of its failures. */
  message: string;
}

/** More red files than these are a broken product, not a stalled machine. */
const mostFiles = 3;
/** What these find may come once in a thousand runs, and is a finding all the same. */
const findsRareFaults = /^test\/property\/|race|kill|fate|fault|crash/;
/** How a difference from "no invariant is broken" is printed. */
const brokenInvariant = /"rows": Array \[/;

/**
 * The red files that are worth a second try by themselves, as paths below `root`; empty where one of them is not, since
 * the run is red then whatever the others bring. A machine that stalls beside other files may turn any of thousands
 * of tests red. A broken invariant, and whatever a test of races, kills, faults or random sequences finds, is never
 * tried again: a fault that is rare is what they are for.
 */
export function filesForSecondTry(files: readonly FileReport[], root: string): string[] {
  const red = files.filter(({ status }) => status === 'failed');
  const names = red.map(({ name }) => relative(root, name).split(sep).join('/'));
  const isFinding = red.some(({ message }, index) => {
    return findsRareFaults.test(names[index]!) || brokenInvariant.test(stripVTControlCharacters(message));
  });
  return red.length > mostFiles || isFinding ? [] : names;
}
