import type { Translation } from '../language/plurals.ts';
import type { en } from './en.ts';
import { book } from './es/book.ts';
import { code } from './es/code.ts';
import { common } from './es/common.ts';
import { decks } from './es/decks.ts';
import { demo } from './es/demo.ts';
import { exports } from './es/exports.ts';
import { health } from './es/health.ts';
import { jobs } from './es/jobs.ts';
import { keys } from './es/keys.ts';
import { overview } from './es/overview.ts';
import { problems } from './es/problems.ts';
import { redemptions } from './es/redemptions.ts';
import { report } from './es/report.ts';
import { rules } from './es/rules.ts';
import { shell } from './es/shell.ts';
import { terms } from './es/terms.ts';
import { user } from './es/user.ts';
import { webhooks } from './es/webhooks.ts';

/** The texts in Spanish. One that is missing, or is there in Spanish alone, does not pass the compiler. */
export const es = {
  book,
  code,
  common,
  decks,
  demo,
  exports,
  health,
  jobs,
  keys,
  overview,
  problems,
  redemptions,
  report,
  rules,
  shell,
  terms,
  user,
  webhooks,
} satisfies Translation<typeof en>;
