import { useId, useState } from 'preact/hooks';
import { formatBytes, formatShare } from '../language/formats.ts';
import { messages } from '../messages/messages.ts';
import { FieldError } from './field-error.tsx';

/** Files of spreadsheet programs, which hold no text that a server could read rows out of. */
const spreadsheets = /\.(xlsx?|ods|numbers)$/i;

/** Whether a file must be saved as CSV first. */
export function isSpreadsheet(file: File | null): boolean {
  return file !== null && spreadsheets.test(file.name);
}

/**
 * Where a file is dropped or chosen. Choosing is there for everybody: nothing can be done by dragging alone.
 * @param accept endings of names, such as `.csv,.txt`
 */
export function FileDrop({
  label,
  help,
  accept,
  file,
  onFile,
  error = null,
}: {
  label: string;
  help?: string;
  accept: string;
  file: File | null;
  onFile: (file: File | null) => void;
  error?: string | null;
}) {
  const id = useId();
  const [isOver, setOver] = useState(false);
  const words = messages().common;
  return (
    <fieldset
      class={isOver ? 'drop drop-over' : 'drop'}
      onDragOver={(event) => {
        event.preventDefault();
        setOver(true);
      }}
      onDragLeave={() => setOver(false)}
      onDrop={(event) => {
        event.preventDefault();
        setOver(false);
        const dropped = event.dataTransfer?.files[0];
        if (dropped !== undefined) onFile(dropped);
      }}
    >
      <legend>{label}</legend>
      <label for={id} class="button button-plain">
        {words.chooseFile}
      </label>
      <input
        id={id}
        class="visually-hidden"
        type="file"
        accept={accept}
        aria-describedby={help === undefined ? undefined : `${id}-help`}
        aria-invalid={error === null ? undefined : true}
        // Else a browser tells nothing where the same file is chosen again, which somebody has mended.
        onClick={(event) => {
          event.currentTarget.value = '';
        }}
        onChange={(event) => onFile(event.currentTarget.files?.[0] ?? null)}
      />
      <p dir="auto">{file === null ? words.dropHere : words.chosenFile(file.name, formatBytes(file.size))}</p>
      {error !== null && <FieldError error={error} />}
      {help !== undefined && (
        <p class="field-help" id={`${id}-help`}>
          {help}
        </p>
      )}
    </fieldset>
  );
}

/** How far a file is. Once it is sent, the server works, and nobody knows for how long. */
export function UploadProgress({ share }: { share: number }) {
  const words = messages().common;
  const text = share < 1 ? words.uploading(formatShare(share)) : words.working;
  return (
    <div class="progress">
      <progress aria-label={text} {...(share < 1 ? { value: share, max: 1 } : {})} />
      <p>{text}</p>
    </div>
  );
}
