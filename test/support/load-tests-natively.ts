import { registerHooks } from 'node:module';
import { limitTests } from './test-timeout.ts';

/**
 * Loaded by each of Jest's workers before the tests. Node itself loads them, as it loads the product: a module that
 * many files import is loaded once a worker. So a test file that changes what modules share undoes it
 * (set-for-file.ts).
 */
limitTests();

/** Test files that change something before the core is loaded: all modules of the project are new for each of them. */
const loadsAnew = /\/test\/integration\/sent-one-by-one\.test\.ts$/;
/** What such a file imports bears this in its URL, which makes it another module. */
const mark = 'anew';

registerHooks({
  resolve: (name, context, next) => {
    if (name === '@jest/globals') return { url: new URL('jest-globals.ts', import.meta.url).href, shortCircuit: true };
    const found = next(name, context);
    const url = URL.parse(found.url);
    if (url?.protocol !== 'file:' || url.pathname.includes('/node_modules/')) return found;
    const isAnew = loadsAnew.test(url.pathname) || URL.parse(context.parentURL ?? '')?.searchParams.has(mark);
    if (!isAnew) return found;
    url.searchParams.set(mark, '');
    return { ...found, url: url.href };
  },
});
