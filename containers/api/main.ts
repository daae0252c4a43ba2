import { inspect } from 'node:util';
import closeWithGrace from 'close-with-grace';
import {
  type Config,
  ConfigError,
  describeDatabaseTrouble,
  limits,
  readConfig,
  warnOfLookalikes,
} from '../../core/index.ts';
import { openStandardOutput } from './observe/standard-output.ts';
import { startServer } from './server.ts';

/** A load balancer asks every few seconds whether a task is ready; by then it has heard that this one is not. */
const drainPauseMillis = 5_000;
/** Not the console, whose writes wait for a terminal. */
const errors = openStandardOutput(2);

let config: Config | null = null;
try {
  config = readConfig(process.env);
  for (const line of warnOfLookalikes(process.env)) errors.write(`${line}\n`);
  const server = await startServer(config, { drainPauseMillis });
  closeWithGrace({ delay: drainPauseMillis + limits.drainMaxMillis, logger: false }, async ({ err }) => {
    if (err) errors.write(`${inspect(err)}\n`);
    await server.close();
    await errors.flush();
  });
} catch (error) {
  // One line for whoever runs it; a stack would bury it.
  const trouble = config === null ? null : describeDatabaseTrouble(error, config.database);
  const message = trouble ?? (error instanceof Error ? error.message : String(error));
  errors.write(`${error instanceof ConfigError ? message : `Qurable can’t start: ${message}`}\n`);
  await errors.flush();
  process.exit(1);
}
