import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { visits } from '../address/address.ts';
import { messages } from '../messages/messages.ts';

/** What every page has. */
export interface PageProps {
  /** The heading, and the name of the browser's tab. */
  title: string;
  /** Above the heading: where one is. */
  above?: ComponentChildren;
  /** Beside the heading and what is below it, or below both where there is no room: what one can do here. */
  actions?: ComponentChildren;
  /** Below the heading. */
  intro?: ComponentChildren;
  children?: ComponentChildren;
}

/**
 * A page: heading, actions, content. The heading takes the focus when somebody comes here by a link, so that the
 * keyboard goes on from the top and a screen reader says where one is.
 */
export function Page({ title, above, actions, intro, children }: PageProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  const visit = visits.value;
  useEffect(() => {
    // Not on the first load, where the browser begins at the top by itself.
    if (visit === 0) return;
    heading.current?.focus({ preventScroll: true });
    scrollTo(0, 0);
  }, [visit]);
  useEffect(() => {
    document.title = `${title} · ${messages().shell.product}`;
  }, [title]);
  return (
    <>
      <header class="page-head">
        {above !== undefined && <div class="page-above">{above}</div>}
        <div class="page-title">
          <div class="page-words">
            <h1 ref={heading} tabIndex={-1} dir="auto">
              {title}
            </h1>
            {intro !== undefined && <div class="page-intro">{intro}</div>}
          </div>
          {actions !== undefined && <div class="actions">{actions}</div>}
        </div>
      </header>
      {children}
    </>
  );
}
