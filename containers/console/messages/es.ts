import type { Translation } from '../language/plurals.ts';
import type { en } from './en.ts';
import { book } from './es/book.ts';
import { code } from './es/code.ts';
import { common } from './es/common.ts';
import { decks } from './es/decks.ts';
import { demo } from './es/demo.ts';
import { overview } from './es/overview.ts';
import { problems } from './es/problems.ts';
import { report } from './es/report.ts';
import { rules } from './es/rules.ts';
import { shell } from './es/shell.ts';
import { terms } from './es/terms.ts';

/** The texts in Spanish. One that is missing, or is there in Spanish alone, does not pass the compiler. */
export const es = {
  book,
  code,
  common,
  decks,
  demo,
  overview,
  problems,
  report,
  rules,
  shell,
  terms,
} satisfies Translation<typeof en>;
