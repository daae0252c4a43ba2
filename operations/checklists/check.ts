/** What a check has found, in one line that says how to mend it where it is a no. */
export interface Finding {
  verdict: 'ok' | 'no' | 'skipped';
  text: string;
}

/** One line of a checklist. */
export interface Check {
  name: string;
  look(): Promise<Finding>;
}

/** As it should be. */
export const ok = (text: string): Finding => ({ verdict: 'ok', text });
/** Not as it should be; the text says what to do. */
export const no = (text: string): Finding => ({ verdict: 'no', text });
/** Not looked at; the text says why. It is no failure. */
export const skipped = (text: string): Finding => ({ verdict: 'skipped', text });
