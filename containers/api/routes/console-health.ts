import { readFileSync } from 'node:fs';
import { Type } from 'typebox';
import { HealthView, openHealth } from '../../../core/index.ts';
import { operators } from '../auth/roles.ts';
import { routes } from './api.ts';

/** The answer of the console's Health page. */
export const Health = Type.Object({
  version: Type.String({ description: 'Of the product.', examples: ['1.0.0'] }),
  uptimeSeconds: Type.Integer({ minimum: 0, description: 'Of the process that answers.' }),
  ...HealthView.properties,
});

/** What the console's Health page shows: of the one process that answers, and never a word of an error. */
export const consoleHealthRoutes = routes('console-health-routes', (app) => {
  const read = openHealth(app.core, app.health);
  const version = readVersion();

  app.get(
    '/console/health',
    { config: { roles: operators }, schema: { hide: true, response: { 200: Health } } },
    async ({ caller }) => ({ version, uptimeSeconds: Math.floor(process.uptime()), ...(await read(caller)) }),
  );
});

function readVersion(): string {
  const file = readFileSync(new URL('../../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(file) as { version: string }).version;
}
