import { signal } from '@preact/signals';

/** Who is signed in, as `GET /console/session` says it. */
export interface Session {
  id: string;
  name: string;
  role: 'root' | 'admin' | 'operator' | 'redeemer';
  tenant: { slug: string; name: string };
  /** When it ends unless it is used until then. */
  idleUntil: string;
  /** When it ends however it is used. */
  endsAt: string;
  signInWith: ('key' | 'oidc')[];
}

/** Null while nobody is known to be signed in. */
export const session = signal<Session | null>(null);

/** Whether the session ended in the middle of something, which waits until somebody has signed in again. */
export const isInterrupted = signal(false);

let waiting: ((goOn: boolean) => void)[] = [];

/**
 * Asks whoever is there to sign in again, and waits for it, whatever is on the page meanwhile. All who ask while the
 * question is open wait for its one answer.
 * @returns false where nobody signed in
 */
export function signInAgain(): Promise<boolean> {
  isInterrupted.value = true;
  return new Promise((resolve) => waiting.push(resolve));
}

/** Somebody has signed in: what waited goes on. */
export function resumeAs(known: Session): void {
  session.value = known;
  settle(true);
}

/** Nobody is signed in any more: what waited is given up. */
export function forgetSession(): void {
  session.value = null;
  settle(false);
}

/** Whether books and keys may be changed. Who may not is not shown the buttons, and the server refuses all the same. */
export function isAdmin(): boolean {
  return session.value?.role === 'admin' || session.value?.role === 'root';
}

/** Whether books may be seen, and codes made, voided and given. */
export function isOperator(): boolean {
  return isAdmin() || session.value?.role === 'operator';
}

function settle(goOn: boolean): void {
  const resumed = waiting;
  waiting = [];
  isInterrupted.value = false;
  for (const resume of resumed) resume(goOn);
}
