import type { ComponentChildren } from 'preact';
import { matchPath, type Parameters } from './address/match-path.ts';
import type { Session } from './calls/session.ts';
import type { Messages } from './messages/messages.ts';
import { BookPage } from './pages/book-page.tsx';
import { CodePage } from './pages/code-page.tsx';
import { FindPage } from './pages/find-page.tsx';
import { HealthPage } from './pages/health-page.tsx';
import { JobsPage } from './pages/jobs-page.tsx';
import { KeysPage } from './pages/keys-page.tsx';
import { NewBookPage } from './pages/new-book-page.tsx';
import { OverviewPage } from './pages/overview-page.tsx';
import { RedemptionsPage } from './pages/redemptions-page.tsx';
import { UserPage } from './pages/user-page.tsx';
import { WebhookPage } from './pages/webhook-page.tsx';
import { WebhooksPage } from './pages/webhooks-page.tsx';

type Role = Session['role'];

const admins: readonly Role[] = ['root', 'admin'];
const operators: readonly Role[] = [...admins, 'operator'];
const everyone: readonly Role[] = [...operators, 'redeemer'];

/** A view of the console. */
export interface PageEntry {
  /** Below the console's base, with names of its parts: see matchPath. */
  path: string;
  view: (parameters: Parameters) => ComponentChildren;
  /** To whom it is shown. What it asks for, the server refuses to others all the same. */
  roles: readonly Role[];
  /** What it is called in the navigation; left out, it is not there. */
  nav?: (text: Messages) => string;
}

/** Every view, in the order of the navigation. Of two that match, the first one has the address. */
export const pageList: readonly PageEntry[] = [
  { path: '/', view: () => <OverviewPage />, roles: operators, nav: (text) => text.shell.overview },
  { path: '/find', view: () => <FindPage />, roles: everyone },
  { path: '/books/new', view: () => <NewBookPage />, roles: admins },
  { path: '/redemptions', view: () => <RedemptionsPage />, roles: operators, nav: (text) => text.shell.redemptions },
  { path: '/jobs', view: () => <JobsPage />, roles: operators, nav: (text) => text.shell.jobs },
  { path: '/webhooks', view: () => <WebhooksPage />, roles: operators, nav: (text) => text.shell.webhooks },
  { path: '/webhooks/:webhookId', view: (parameters) => <WebhookPage {...parameters} />, roles: operators },
  { path: '/keys', view: () => <KeysPage />, roles: admins, nav: (text) => text.shell.keys },
  // Not /health: there the API's own answer lies.
  { path: '/server-health', view: () => <HealthPage />, roles: operators, nav: (text) => text.shell.health },
  { path: '/codes/:code', view: (parameters) => <CodePage {...parameters} />, roles: everyone },
  { path: '/users/:userId', view: (parameters) => <UserPage {...parameters} />, roles: operators },
  { path: '/books/:bookId/:tab?', view: (parameters) => <BookPage {...parameters} />, roles: operators },
];

/** The view of a path, with what its names stand for. */
export function findPage(path: string): { page: PageEntry; parameters: Parameters } | null {
  for (const page of pageList) {
    const parameters = matchPath(page.path, path);
    if (parameters !== null) return { page, parameters };
  }
  return null;
}
