import type { Webhook } from '../../calls/types.ts';
import { messages } from '../../messages/messages.ts';
import { Badge } from '../../parts/badge.tsx';

/** Whether a webhook is sent anything, and whether it takes it. */
export function WebhookState({ webhook: { status, failingSince } }: { webhook: Webhook }) {
  const text = messages().webhooks;
  if (status === 'disabled') return <Badge tone="quiet">{text.disabled}</Badge>;
  return failingSince === null ? (
    <Badge tone="good">{text.enabled}</Badge>
  ) : (
    <Badge tone="danger">{text.failing}</Badge>
  );
}
