import { useEffect, useState } from 'preact/hooks';
import { call } from '../calls/call.ts';
import type { Problem } from '../calls/problem.ts';
import { resumeAs, type Session } from '../calls/session.ts';
import { messages } from '../messages/messages.ts';
import { Button, ButtonLink } from '../parts/button.tsx';
import { TextField } from '../parts/field.tsx';
import { ProblemBox } from '../parts/problem-box.tsx';

/** How one may sign in here; the key until the server has said more. */
function useWays(): readonly string[] {
  const [ways, setWays] = useState<readonly string[]>(['key']);
  useEffect(() => {
    void call<{ signInWith: string[] }>('GET', '/console/sign-in', { background: true }).then((answer) => {
      if (answer.ok) setWays(answer.body.signInWith);
    });
  }, []);
  return ways;
}

/**
 * Signing in, on a page of its own or in a dialog over the page on which a session ended.
 * @param isOver whether something is on the page that must stay: the company's sign-in then opens beside it
 */
export function SignInForm({ isOver }: { isOver: boolean }) {
  const text = messages();
  const ways = useWays();
  const [key, setKey] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  const isUnknown = problem !== null && (problem.kind === 'unauthenticated' || problem.kind === 'invalid-input');
  useEffect(() => (isOver ? resumeOnReturn() : undefined), [isOver]);
  const submit = async () => {
    if (isBusy) return;
    setBusy(true);
    // Not asked to sign in again where this fails: that is where one is.
    const answer = await call<Session>('POST', '/console/session', { body: { key: key.trim() }, background: true });
    setBusy(false);
    if (answer.ok) resumeAs(answer.body);
    else setProblem(answer.problem);
  };
  return (
    <form
      class="sign-in"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <TextField
        label={text.shell.keyLabel}
        help={text.shell.keyHelp}
        type="password"
        name="key"
        autocomplete="current-password"
        value={key}
        onValue={setKey}
        error={isUnknown ? text.shell.keyUnknown : null}
      />
      {!isUnknown && <ProblemBox problem={problem} />}
      <Button kind="primary" type="submit" isBusy={isBusy}>
        {isBusy ? text.shell.signingIn : text.shell.signIn}
      </Button>
      {ways.includes('oidc') && (
        <>
          <p class="or">{text.shell.or}</p>
          <ButtonLink href="/console/oidc/start" target={isOver ? '_blank' : '_self'}>
            {text.shell.signInWithCompany}
          </ButtonLink>
          {isOver && <p class="field-help">{text.shell.companyBeside}</p>}
        </>
      )}
    </form>
  );
}

/** Looks, whenever somebody comes back to this page, whether they have signed in on another one meanwhile. */
function resumeOnReturn(): () => void {
  const look = async () => {
    if (document.hidden) return;
    const answer = await call<Session>('GET', '/console/session', { background: true });
    if (answer.ok) resumeAs(answer.body);
  };
  const onReturn = () => void look();
  document.addEventListener('visibilitychange', onReturn);
  addEventListener('focus', onReturn);
  return () => {
    document.removeEventListener('visibilitychange', onReturn);
    removeEventListener('focus', onReturn);
  };
}

/** What is seen by those who are not signed in, at whatever address: after it they are there. */
export function SignInPage({ isLinkUsed }: { isLinkUsed: boolean }) {
  const text = messages().shell;
  useEffect(() => {
    document.title = `${text.signInTitle} · ${text.product}`;
  }, [text]);
  return (
    <main id="content" class="sign-in-page" tabIndex={-1}>
      <h1>{text.signInTitle}</h1>
      <p class="lead">{text.signInIntro}</p>
      {isLinkUsed && (
        <p class="problem" role="alert">
          {text.linkUsed}
        </p>
      )}
      <SignInForm isOver={false} />
    </main>
  );
}
