import { readConfig } from '../config.ts';
import { openPool } from '../db/pool.ts';
import { ConfigError } from '../environment.ts';
import { systemRandom } from '../random.ts';
import { rewrapPatternKeys } from './rewrap-pattern-keys.ts';

const usage = `rewrap-pattern-keys: rotates CODE_SECRET. Set the new secret as CODE_SECRET with a higher CODE_SECRET_VERSION, and the old\none as PREVIOUS_CODE_SECRET and PREVIOUS_CODE_SECRET_VERSION (1 unless told). No code changes.`;

/**
 * `npm run rewrap-pattern-keys`: rotates CODE_SECRET. The environment is that of the API with the new secret and its
 * version, and with the old ones in PREVIOUS_CODE_SECRET and PREVIOUS_CODE_SECRET_VERSION.
 */
if (process.argv.includes('--help')) {
  console.log(usage);
  process.exit(0);
}

try {
  const config = readConfig(process.env);
  const { PREVIOUS_CODE_SECRET: codeSecret, PREVIOUS_CODE_SECRET_VERSION: version = '1' } = process.env;
  if (!codeSecret) throw new ConfigError('PREVIOUS_CODE_SECRET must be set');
  if (!/^[1-9]\d{0,6}$/.test(version))
    throw new ConfigError('PREVIOUS_CODE_SECRET_VERSION must be a whole number from 1');
  const pool = openPool(config.database, { max: 1, applicationName: 'qurable rewrap', onError: () => {} });
  try {
    const from = { codeSecret, codeSecretVersion: Number(version) };
    console.log(`wrapped ${await rewrapPatternKeys(pool, systemRandom, from, config)} keys anew`);
  } finally {
    await pool.end();
  }
} catch (error) {
  console.error(`rewrap-pattern-keys: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 1;
}
