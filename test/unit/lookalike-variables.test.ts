import { readFileSync } from 'node:fs';
import { expect, test } from '@jest/globals';
import { knownVariables, warnOfLookalikes } from '../../core/lookalike-variables.ts';

test.each([
  ['RATE_LIMIT', 'RATE_LIMIT_PER_SECOND'],
  ['DB_POOLMAX', 'DB_POOL_MAX'],
  ['DB_USER', 'DB_USERNAME'],
  ['DATABSE_URL', 'DATABASE_URL'],
  ['REDIS_ULR', 'REDIS_URL'],
  ['TRUSTED_PROXY', 'TRUSTED_PROXIES'],
  ['LOGLEVEL', 'LOG_LEVEL'],
  ['CORS_ORIGIN', 'CORS_ORIGINS'],
  ['log_level', 'LOG_LEVEL'],
  ['METRIC_PORT', 'METRICS_PORT'],
])('%s is told of as a misspelt %s, without its value', (name, meant) => {
  const [line, ...more] = warnOfLookalikes({ [name]: 'hunter2' });
  expect(line).toBe(`${name} is not a variable that Qurable knows, and changes nothing; is ${meant} meant?`);
  expect(more).toEqual([]);
});

test('nothing is said of the variables that there are, of empty ones, and of other programs’', () => {
  const own = Object.fromEntries(knownVariables.map((name) => [name, 'x']));
  const others =
    'PATH HOME HOSTNAME USER SHELL PWD TERM LANG TZ CI NODE_ENV NODE_OPTIONS NODE_EXTRA_CA_CERTS PGHOST PGPASSWORD AWS_REGION ' +
    'AWS_SECRET_ACCESS_KEY ECS_CONTAINER_METADATA_URI_V4 npm_config_cache KUBERNETES_PORT REDIS_SERVICE_HOST REDIS_SERVICE_PORT ' +
    'INVOCATION_ID JOURNAL_STREAM LOGNAME SSH_CLIENT XDG_SESSION_ID EDITOR POSTGRES_PASSWORD GITHUB_TOKEN';
  expect(
    warnOfLookalikes({ ...own, RATE_LIMIT: '', ...Object.fromEntries(others.split(' ').map((name) => [name, 'x'])) }),
  ).toEqual([]);
});

test('.env.example has every variable that there is, and no other', () => {
  const text = readFileSync(new URL('../../.env.example', import.meta.url), 'utf8');
  const named = [...text.matchAll(/\b([A-Z][A-Z_]+)=/g)].map((match) => match[1]);
  expect([...new Set(named)].sort()).toEqual(knownVariables.toSorted());
});
