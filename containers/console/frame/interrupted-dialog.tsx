import { goTo, linkTo } from '../address/address.ts';
import { forgetSession } from '../calls/session.ts';
import { messages } from '../messages/messages.ts';
import { SignInForm } from '../pages/sign-in.tsx';
import { Button } from '../parts/button.tsx';
import { Dialog } from '../parts/dialog.tsx';

/** Shown over the page on which a session ended. What is on the page stays, and goes on once somebody has signed in. */
export function InterruptedDialog() {
  const text = messages().shell;
  const leave = () => {
    goTo(linkTo('/'));
    forgetSession();
  };
  return (
    <Dialog title={text.interruptedTitle}>
      <p class="dialog-text">{text.interruptedIntro}</p>
      <SignInForm isOver={true} />
      <div class="dialog-actions">
        <Button kind="quiet" onClick={leave}>
          {text.leave}
        </Button>
      </div>
    </Dialog>
  );
}
