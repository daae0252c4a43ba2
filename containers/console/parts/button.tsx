import type { ButtonHTMLAttributes, ComponentChildren } from 'preact';

/**
 * What a button is for: the one that goes on, one beside it, one that does what can't be undone, one that leads to the
 * question about it, or one that looks like a link.
 */
export type ButtonKind = 'primary' | 'plain' | 'danger' | 'caution' | 'quiet';

/** A button. While it is busy it takes no further click, keeps the focus, and says so to screen readers. */
export function Button({
  kind = 'plain',
  isBusy = false,
  children,
  onClick,
  type = 'button',
  ...rest
}: {
  kind?: ButtonKind;
  isBusy?: boolean;
  children: ComponentChildren;
} & Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon'>) {
  return (
    <button
      {...rest}
      type={type}
      class={`button button-${kind}`}
      aria-disabled={isBusy || undefined}
      aria-busy={isBusy || undefined}
      onClick={(event) => {
        if (isBusy) event.preventDefault();
        else onClick?.call(event.currentTarget, event);
      }}
    >
      {children}
    </button>
  );
}

/** A link that looks like a button: it goes somewhere, and does nothing. */
export function ButtonLink({
  href,
  kind = 'plain',
  target,
  name,
  children,
}: {
  href: string;
  /** What it is called where several have its words; begins with them. */
  name?: string;
  kind?: ButtonKind;
  /** `_self` leaves the console, for what is no view of it; `_blank` opens it beside. */
  target?: '_self' | '_blank';
  children: ComponentChildren;
}) {
  return (
    <a class={`button button-${kind}`} href={href} target={target} aria-label={name}>
      {children}
    </a>
  );
}
