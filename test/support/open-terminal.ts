import { type ChildProcess, spawn, spawnSync } from 'node:child_process';

/** A program on a terminal of its own. */
export interface Terminal {
  /** The process id of the program. */
  readonly pid: number;
  /** What the program has written so far. */
  output(): string;
  /** What Ctrl-S does: from now on the terminal takes nothing more. */
  hold(): void;
  /** What closing the window does. */
  close(): void;
  /** Lets the helper go, and with it the terminal. */
  end(): void;
}

/** Whether this machine has what openTerminal needs. */
export const hasTerminals = spawnSync('python3', ['-c', 'import pty']).status === 0;

/**
 * Holds a terminal for a program and does with it what it reads: `h`, hold; `c`, close. The first line of its standard
 * error is the program's process id.
 */
const helper = `
import os, pty, select, subprocess, sys
master, slave = pty.openpty()
settle = os.setsid if sys.argv[1] == 'plain' else lambda: os.login_tty(slave) if hasattr(os, 'login_tty') else (os.setsid(), __import__('fcntl').ioctl(slave, __import__('termios').TIOCSCTTY, 0))
program = subprocess.Popen(sys.argv[2:], stdin=slave, stdout=slave, stderr=slave, preexec_fn=settle)
os.close(slave)
sys.stderr.write(str(program.pid) + '\\n')
sys.stderr.flush()
reading = [master, 0]
while True:
    for ready in select.select(reading, [], [])[0]:
        if ready == master:
            try:
                data = os.read(master, 65536)
            except OSError:
                data = b''
            if data:
                os.write(1, data)
            else:
                reading.remove(master)
        else:
            order = os.read(0, 1)
            if master in reading:
                reading.remove(master)
            if order == b'c':
                os.close(master)
            elif order != b'h':
                sys.exit(0)
`;

/**
 * Starts a program on a new terminal.
 * @param kind `controlling` sends the program SIGHUP when it is closed; on a `plain` one, as left by a shell that
 * disowned the program, it only finds that nothing can be written any more
 */
export async function openTerminal(
  kind: 'controlling' | 'plain',
  command: string[],
  options: { cwd?: string; env: NodeJS.ProcessEnv },
): Promise<Terminal> {
  const child = spawn('python3', ['-c', helper, kind, ...command], { ...options, stdio: 'pipe' });
  let output = '';
  child.stdout.on('data', (data) => (output += String(data)));
  child.stdin.on('error', () => {});
  const pid = Number.parseInt(await firstText(child), 10);
  return {
    pid,
    output: () => output,
    hold: () => void child.stdin.write('h'),
    close: () => void child.stdin.write('c'),
    end: () => void child.stdin.end(),
  };
}

function firstText(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    child.stderr!.once('data', (data) => resolve(String(data)));
    child.once('error', reject);
    child.once('exit', () => reject(new Error('the terminal ended before the program began')));
  });
}
