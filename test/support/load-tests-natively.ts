import { registerHooks } from 'node:module';
import { limitTests } from './test-timeout.ts';

/**
 * Loaded by each of Jest's workers before the tests. Node itself loads them, as it loads the product: a module that
 * many files import is loaded once a worker. So a test file that changes what modules share undoes it
 * (set-for-file.ts).
 */
limitTests();
registerHooks({
  resolve: (name, context, next) =>
    name === '@jest/globals'
      ? { url: new URL('jest-globals.ts', import.meta.url).href, shortCircuit: true }
      : next(name, context),
});
