import { signal } from '@preact/signals';

/** Where the console lies below the server's address. */
export const base = '/console';

/** What the address bar says, below the console's base: `/books/0193…?status=active`. */
export interface Address {
  /** Begins with a slash. */
  readonly path: string;
  readonly query: URLSearchParams;
}

/** The present address. It changes by links, by `goTo`, `changeQuery`, and the browser's own buttons. */
export const address = signal<Address>(readAddress(base));

/** Counts the views that were gone to, so that the one that is new is told to those who do not see it. */
export const visits = signal(0);

/** The address of a view, for links. Parts are given as they are, and encoded here. */
export function linkTo(path: string, query: Record<string, string | null | undefined> = {}): string {
  const given = Object.entries(query).filter((entry): entry is [string, string] => entry[1] != null && entry[1] !== '');
  const text = new URLSearchParams(given).toString();
  return `${base}${path === '/' ? '' : path}${text === '' ? '' : `?${text}`}`;
}

/** A part of a path, such as a code or a user's id, which may hold anything. */
export function part(text: string): string {
  return encodeURIComponent(text);
}

/** Goes to a view, as a click on its link would. @param link as `linkTo` made it */
export function goTo(link: string, { replace = false } = {}): void {
  if (replace) history.replaceState(null, '', link);
  else history.pushState(null, '', link);
  address.value = readAddress();
  visits.value += 1;
}

/**
 * Changes what the address says of the present view, such as a filter. Nobody has gone anywhere: the focus stays, and
 * the browser's button goes back to the former view.
 */
export function changeQuery(changes: Record<string, string | null>): void {
  const query = new URLSearchParams(address.value.query);
  for (const [name, value] of Object.entries(changes)) {
    if (value === null || value === '') query.delete(name);
    else query.set(name, value);
  }
  history.replaceState(null, '', linkTo(address.value.path, Object.fromEntries(query)));
  address.value = readAddress();
}

/** Makes links of the console change the view and not load the page anew. Called once. */
export function followLinks(): void {
  address.value = readAddress();
  addEventListener('popstate', () => {
    address.value = readAddress();
    visits.value += 1;
  });
  addEventListener('click', (event) => {
    const link = (event.target as Element | null)?.closest?.('a');
    if (link === null || link === undefined || !isOurs(event, link)) return;
    event.preventDefault();
    goTo(link.href);
  });
}

/** A click that the console takes; with a key held down, or on a download, the browser has it. */
function isOurs(event: MouseEvent, link: HTMLAnchorElement): boolean {
  if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey)
    return false;
  if (link.target !== '' || link.hasAttribute('download') || link.origin !== location.origin) return false;
  if (link.pathname !== base && !link.pathname.startsWith(`${base}/`)) return false;
  // A jump within the page.
  return link.hash === '' || link.pathname !== location.pathname;
}

function readAddress(href = globalThis.location?.href ?? ''): Address {
  const url = new URL(href, 'http://console');
  const path = url.pathname.slice(base.length);
  const isFolder = path.endsWith('/') && path !== '/';
  return { path: path === '' ? '/' : isFolder ? path.slice(0, -1) : path, query: url.searchParams };
}
