import { render } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { address, followLinks, goTo, linkTo } from './address/address.ts';
import { call } from './calls/call.ts';
import { resumeAs, type Session, session } from './calls/session.ts';
import { Frame } from './frame/frame.tsx';
import { language, openLanguage } from './language/language.ts';
import { openTheme } from './language/theme.ts';
import { loadMessages, messages } from './messages/messages.ts';
import { findPage, pageList } from './page-list.tsx';
import { ForbiddenPage, NotFoundPage } from './pages/message-pages.tsx';
import { SignInPage } from './pages/sign-in.tsx';

/** Where the link of a start leads: the secret is behind the #, which no server and no log sees. */
const enterPath = '/enter';

function Console() {
  const [isAsked, setAsked] = useState(false);
  const [isLinkUsed, setLinkUsed] = useState(false);
  useEffect(() => {
    void enter().then((outcome) => {
      setLinkUsed(outcome === 'link-used');
      setAsked(true);
    });
  }, []);
  const text = messages();
  if (!isAsked) return <p class="loading">{text.common.loading}</p>;
  if (session.value === null) {
    return (
      <Frame navigation={[]}>
        <SignInPage isLinkUsed={isLinkUsed} />
      </Frame>
    );
  }
  const { role } = session.value;
  const navigation = pageList
    .filter(({ roles, nav }) => nav !== undefined && roles.includes(role))
    .map(({ path, nav }) => ({ path, name: nav!(text) }));
  const found = findPage(address.value.path);
  return (
    <Frame navigation={navigation}>
      <main id="content" tabIndex={-1}>
        {found === null ? (
          <NotFoundPage />
        ) : found.page.roles.includes(role) ? (
          // A page that is gone to anew begins anew, with whatever its address names.
          <found.page.view
            key={`${found.page.path} ${Object.values(found.parameters)[0] ?? ''}`}
            {...found.parameters}
          />
        ) : (
          <ForbiddenPage />
        )}
      </main>
    </Frame>
  );
}

/** Finds out who is signed in, by a link's secret where there is one. */
async function enter(): Promise<'known' | 'unknown' | 'link-used'> {
  const link = address.value.path === enterPath ? location.hash.slice(1) : '';
  if (address.value.path === enterPath) goTo(linkTo('/'), { replace: true });
  if (link !== '') {
    const answer = await call<Session>('POST', '/console/session', { body: { link }, background: true });
    if (answer.ok) return welcome(answer.body);
  }
  const answer = await call<Session>('GET', '/console/session', { background: true });
  if (answer.ok) return welcome(answer.body);
  return link === '' ? 'unknown' : 'link-used';
}

function welcome(known: Session): 'known' {
  resumeAs(known);
  return 'known';
}

openLanguage();
openTheme();
followLinks();
void loadMessages(language.value).then(
  () => render(<Console />, document.getElementById('console')!),
  // Without words there is nothing to draw: as if the page itself had not come.
  () => setTimeout(() => location.reload(), 2_000),
);
