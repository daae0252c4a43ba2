import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** The last version that needs no account. */
const version = '4.14.0';
const endpoint = process.env.AWS_ENDPOINT_URL ?? 'http://127.0.0.1:4566';
const root = fileURLToPath(new URL('../../', import.meta.url));
const answerWithinMillis = 5_000;

/**
 * `npm run test:localstack`: runs the functions against a LocalStack, as far as its free version has the services.
 * Where there is none it says so in one line, and fails only with CI=true, where there must be one.
 */
async function main(args: string[]): Promise<number> {
  if (!(await isLocalStack())) {
    console.log(
      `SKIPPED: no LocalStack at ${endpoint}; start one with: docker run --rm -p 127.0.0.1:4566:4566 localstack/localstack:${version}`,
    );
    return process.env.CI === 'true' ? 1 : 0;
  }
  const jest = join(root, 'node_modules/jest/bin/jest.js');
  const match = '--testMatch=<rootDir>/test/localstack/**/*.localstack.ts';
  const flags = ['--no-warnings', jest, match, ...args];
  const env = { ...process.env, AWS_ENDPOINT_URL: endpoint };
  return spawnSync(process.execPath, flags, { cwd: root, stdio: 'inherit', env }).status ?? 1;
}

async function isLocalStack(): Promise<boolean> {
  try {
    const answer = await fetch(`${endpoint}/_localstack/health`, { signal: AbortSignal.timeout(answerWithinMillis) });
    return answer.ok;
  } catch {
    return false;
  }
}

process.exitCode = await main(process.argv.slice(2));
