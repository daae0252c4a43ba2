import { bundlePackages } from './test/support/bundle-packages.ts';

/** ES modules all the way: Node's own loader runs the files, swc only strips the types. */
export default async () => ({
  testEnvironment: 'node',
  extensionsToTreatAsEsm: ['.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      { jsc: { parser: { syntax: 'typescript' }, target: 'es2024' }, module: { type: 'es6' }, sourceMaps: 'inline' },
    ],
  },
  moduleNameMapper: await bundlePackages(),
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  testSequencer: '<rootDir>/test/support/long-files-first.ts',
  globalSetup: '<rootDir>/test/support/global-setup.ts',
  globalTeardown: '<rootDir>/test/support/global-teardown.ts',
  // So long that it ends what hangs, and nothing that is slow: on a busy machine some take ten times as long as usual.
  testTimeout: 300_000,
  maxWorkers: 4,
});
