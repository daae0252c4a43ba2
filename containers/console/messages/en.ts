import { book } from './en/book.ts';
import { code } from './en/code.ts';
import { common } from './en/common.ts';
import { decks } from './en/decks.ts';
import { demo } from './en/demo.ts';
import { exports } from './en/exports.ts';
import { health } from './en/health.ts';
import { jobs } from './en/jobs.ts';
import { keys } from './en/keys.ts';
import { overview } from './en/overview.ts';
import { problems } from './en/problems.ts';
import { redemptions } from './en/redemptions.ts';
import { report } from './en/report.ts';
import { rules } from './en/rules.ts';
import { shell } from './en/shell.ts';
import { terms } from './en/terms.ts';
import { user } from './en/user.ts';
import { webhooks } from './en/webhooks.ts';

/** The texts in English. The shape of every other language follows from it. */
export const en = {
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
};
