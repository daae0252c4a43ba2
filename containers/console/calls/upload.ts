import type { Answer } from './call.ts';
import { untilAnswered } from './connection.ts';
import { fileChanged, lostConnection, problemOf } from './problem.ts';
import { signInAgain } from './session.ts';

/** What an upload brings beside its path and file. */
export interface UploadOptions {
  key: string;
  contentType: string;
  /** How much of the file the server has, from 0 to 1. */
  onProgress: (share: number) => void;
  signal?: AbortSignal;
}

/**
 * Sends a file. By XMLHttpRequest, since no other way says how much has been sent. What got no answer is sent again
 * whole with the same key, and after a new sign-in it is too.
 */
export async function upload<T>(path: string, file: Blob, options: UploadOptions): Promise<Answer<T>> {
  const answer = await untilAnswered(
    async (): Promise<Answer<T> | null> =>
      (await isReadable(file)) ? attempt<T>(path, file, options) : { ok: false, status: 0, problem: fileChanged(path) },
    options.signal,
  );
  if (answer === null) return { ok: false, status: 0, problem: lostConnection(path) };
  if (!answer.ok && answer.status === 401 && (await signInAgain())) return upload(path, file, options);
  return answer;
}

/** A browser refuses to send a file that has changed since it was chosen, as if the server had not answered. */
async function isReadable(file: Blob): Promise<boolean> {
  try {
    await file.slice(0, 1).arrayBuffer();
    return true;
  } catch {
    return false;
  }
}

/** Null where no answer came. */
function attempt<T>(path: string, file: Blob, options: UploadOptions): Promise<Answer<T> | null> {
  const { key, contentType, onProgress, signal } = options;
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    request.open('POST', path);
    request.setRequestHeader('accept', 'application/json');
    request.setRequestHeader('content-type', contentType);
    request.setRequestHeader('idempotency-key', key);
    request.upload.onprogress = ({ loaded, total, lengthComputable }) => {
      if (lengthComputable) onProgress(total === 0 ? 1 : loaded / total);
    };
    const abort = () => request.abort();
    signal?.addEventListener('abort', abort);
    request.onloadend = () => {
      signal?.removeEventListener('abort', abort);
      resolve(request.status === 0 ? null : answerOf<T>(request, path));
    };
    request.send(file);
  });
}

function answerOf<T>(request: XMLHttpRequest, path: string): Answer<T> {
  const { status, responseText } = request;
  const header = (name: string) => request.getResponseHeader(name);
  if (status >= 200 && status < 300) {
    try {
      const isReplayed = header('idempotency-replayed') !== null;
      return { ok: true, status, body: JSON.parse(responseText) as T, etag: header('etag'), isReplayed };
    } catch {
      // Not the API's.
    }
  }
  return { ok: false, status, problem: problemOf(status, header, responseText, path) };
}
