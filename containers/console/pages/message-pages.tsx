import { linkTo } from '../address/address.ts';
import { isOperator, session } from '../calls/session.ts';
import { messages } from '../messages/messages.ts';
import { ButtonLink } from '../parts/button.tsx';
import { Page } from '../parts/page.tsx';

/** Where the address names no view. */
export function NotFoundPage() {
  const text = messages().shell;
  return (
    <Page title={text.notFoundTitle}>
      <div class="stack message">
        <p>{text.notFound}</p>
        <ButtonLink href={linkTo('/')}>{text.home}</ButtonLink>
      </div>
    </Page>
  );
}

/** Where the view is not for the role. The server would refuse what it asks for. */
export function ForbiddenPage() {
  const text = messages().shell;
  const role = session.value?.role ?? 'redeemer';
  return (
    <Page title={text.forbiddenTitle}>
      <div class="stack message">
        <p>{isOperator() ? text.forbidden(text.roles[role]) : text.redeemerOnly}</p>
        {isOperator() && <ButtonLink href={linkTo('/')}>{text.home}</ButtonLink>}
      </div>
    </Page>
  );
}
