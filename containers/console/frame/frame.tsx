import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { address, goTo, linkTo, visits } from '../address/address.ts';
import { call } from '../calls/call.ts';
import { repeating } from '../calls/connection.ts';
import { forgetSession, isInterrupted, session } from '../calls/session.ts';
import { messages } from '../messages/messages.ts';
import { Button } from '../parts/button.tsx';
import { LiveRegion, useAnnounced } from '../parts/live.tsx';
import { Menu } from '../parts/menu.tsx';
import { InterruptedDialog } from './interrupted-dialog.tsx';
import { SearchField } from './search-field.tsx';
import { Settings } from './settings.tsx';

/** A place that the navigation leads to. */
export interface NavigationEntry {
  /** Below the console's base. */
  path: string;
  name: string;
}

/** What is around every page: navigation, search, the choices of whoever looks, and what is said to them. */
export function Frame({
  navigation,
  children,
}: {
  navigation: readonly NavigationEntry[];
  children: ComponentChildren;
}) {
  const text = messages().shell;
  return (
    <>
      <a class="skip" href="#content">
        {text.skip}
      </a>
      {session.value === null ? <PublicBar /> : <TopBar navigation={navigation} />}
      <ConnectionBanner />
      {children}
      <LiveRegion />
      {isInterrupted.value && <InterruptedDialog />}
    </>
  );
}

function PublicBar() {
  const text = messages().shell;
  return (
    <header class="bar bar-public">
      <span class="brand">{text.product}</span>
      <div class="bar-end">
        <Menu label={text.settings}>
          <Settings />
        </Menu>
      </div>
    </header>
  );
}

function TopBar({ navigation }: { navigation: readonly NavigationEntry[] }) {
  const text = messages().shell;
  const [isOpen, setOpen] = useState(false);
  const visit = visits.value;
  // Whoever has gone somewhere has no more use for the menu. The visit is what closes it.
  useEffect(() => setOpen(false), [visit]);
  return (
    <header class="bar">
      <a class="brand" href={linkTo('/')}>
        {text.product}
      </a>
      <button
        type="button"
        class="button button-plain nav-button"
        aria-expanded={isOpen}
        aria-controls="navigation"
        onClick={() => setOpen(!isOpen)}
      >
        {text.menu}
      </button>
      <SearchField />
      <div class="bar-end">
        <AccountMenu />
      </div>
      <nav id="navigation" class={isOpen ? 'nav nav-open' : 'nav'} aria-label={text.navigation}>
        {navigation.map(({ path, name }) => (
          <a key={path} href={linkTo(path)} aria-current={isWithin(path) ? 'page' : undefined}>
            {name}
          </a>
        ))}
      </nav>
    </header>
  );
}

function isWithin(path: string): boolean {
  const present = address.value.path;
  if (path === '/') return present === '/' || present.startsWith('/books');
  return present === path || present.startsWith(`${path}/`);
}

function AccountMenu() {
  const text = messages().shell;
  const known = session.value!;
  const signOut = async () => {
    await call('DELETE', '/console/session', { background: true });
    goTo(linkTo('/'));
    forgetSession();
  };
  return (
    <Menu label={<span dir="auto">{known.name}</span>}>
      <p>
        <strong dir="auto">{known.name}</strong>
        <br />
        <span class="muted">{text.account(text.roles[known.role], known.tenant.name)}</span>
      </p>
      <Settings />
      <Button onClick={() => void signOut()}>{text.signOut}</Button>
    </Menu>
  );
}

function ConnectionBanner() {
  const text = messages().shell;
  const isLost = repeating.value > 0;
  useAnnounced(isLost ? text.lost : null);
  return isLost ? <p class="banner">{text.lost}</p> : null;
}
