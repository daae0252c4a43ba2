import { messages } from '../messages/messages.ts';
import { Button } from './button.tsx';
import { Dialog } from './dialog.tsx';
import { notify } from './live.tsx';

/** A secret, once. It is closed by its button alone: an Escape by mistake would lose it. */
export function SecretDialog({
  title,
  intro,
  done,
  secret,
  onClose,
}: {
  title: string;
  intro: string;
  /** The button by which somebody says that they have it. */
  done: string;
  secret: string;
  onClose: () => void;
}) {
  const text = messages().common;
  return (
    <Dialog title={title}>
      <p>{intro}</p>
      <p>
        <code class="secret">{secret}</code>
      </p>
      <div class="dialog-actions">
        <Button
          onClick={() =>
            void navigator.clipboard?.writeText(secret).then(
              () => notify(messages().common.copied),
              () => {},
            )
          }
        >
          {text.copy}
        </Button>
        <Button kind="primary" onClick={onClose}>
          {done}
        </Button>
      </div>
    </Dialog>
  );
}
