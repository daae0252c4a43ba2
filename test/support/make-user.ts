import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, realpathSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** An ordinary user of this machine, made for a test. */
export type TestUser = {
  uid: number;
  gid: number;
  /** An existing directory of mode 0700. */
  home: string;
  /** Deletes the user with the home. */
  remove(): void;
};

/** Makes an ordinary user without a password whose home is closed to all others. Needs root. */
export function makeUser(): TestUser {
  const name = `qurable-${randomBytes(4).toString('hex')}`;
  const home = join(realpathSync(tmpdir()), name);
  execFileSync('useradd', ['--create-home', '--home-dir', home, '--shell', '/bin/sh', name]);
  chmodSync(home, 0o700);
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, name], { encoding: 'utf8' }))) as [
    number,
    number,
  ];
  const remove = () => void execFileSync('userdel', ['--remove', name], { stdio: ['ignore', 'ignore', 'ignore'] });
  return { uid, gid, home, remove };
}
