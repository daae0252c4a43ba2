import { type Emulator, startEmulator } from '../emulator/start-emulator.ts';
import { type Account, openAccount } from './account.ts';
import { stopAwsCli } from './aws-cli.ts';
import { copyProject, type ProjectCopy } from './copy-project.ts';
import { createRepository, pushImage } from './push-image.ts';
import { startTlsPostgres, type TlsPostgres } from './start-tls-postgres.ts';

/** Where a deployment is tried: an emulated account, the PostgreSQL behind its databases, and a copy of the project. */
export interface Trial {
  postgres: TlsPostgres;
  emulator: Emulator;
  account: Account;
  project: ProjectCopy;
  /** Ends all of them. */
  close(): Promise<void>;
}

/** A day without an event: what is deployed must not depend on the day on which the tests run. */
export const plainDay = new Date('2026-10-10T12:00:00Z');

/**
 * Opens an account on the plain day.
 * @param registry `none`; `empty`: there is one for images; `filled`: it has the image of the copy
 */
export async function openTrial(registry: 'none' | 'empty' | 'filled'): Promise<Trial> {
  const ends: (() => unknown)[] = [stopAwsCli];
  const close = async () => {
    for (const end of ends.splice(0).reverse()) await end();
  };
  try {
    const postgres = await startTlsPostgres();
    ends.push(() => postgres.stop());
    const { superuserUrl: postgresUrl, certificateFile } = postgres;
    const emulator = await startEmulator({ postgresUrl, certificateFile });
    ends.push(() => emulator.stop());
    const account = openAccount(emulator.url);
    await emulator.setClock(plainDay);
    const project = copyProject();
    ends.push(() => project.dispose());
    if (registry !== 'none') await createRepository(account);
    if (registry === 'filled') await pushImage(account, project.directory);
    return { postgres, emulator, account, project, close };
  } catch (error) {
    await close();
    throw error;
  }
}
