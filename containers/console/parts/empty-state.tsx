import type { ComponentChildren } from 'preact';

/** Where there is nothing yet: what would be here, and the next step. */
export function EmptyState({
  title,
  children,
  actions,
}: {
  title: string;
  children?: ComponentChildren;
  actions?: ComponentChildren;
}) {
  return (
    <section class="empty">
      <h2>{title}</h2>
      {children}
      {actions !== undefined && <div class="actions">{actions}</div>}
    </section>
  );
}
