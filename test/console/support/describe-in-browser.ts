import { jest } from '@jest/globals';
import { requireOrSkip } from '../../support/require-or-skip.ts';
import { findChromium } from './find-chromium.ts';

/** Axe takes its time, on a machine that tests other things beside it more so. */
jest.setTimeout(900_000);

/** `describe`, where this machine has a browser; else the tests are skipped in one loud line. */
export const describeInBrowser = requireOrSkip(
  'Debian’s Chromium (apt-get install chromium-headless-shell)',
  findChromium() !== null,
);
