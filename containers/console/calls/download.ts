import { lostConnection, type Problem, readProblem } from './problem.ts';
import { signInAgain } from './session.ts';

/** What became of a download. */
export type Download = { content: Blob } | { problem: Problem } | 'stopped';

/**
 * Reads an export whole. The browser keeps what it has of it on its disk where it is large.
 * @param onBytes how much of it is there
 */
export async function download(path: string, onBytes: (bytes: number) => void, signal: AbortSignal): Promise<Download> {
  try {
    const response = await fetch(path, { headers: { accept: 'text/csv' }, credentials: 'same-origin', signal });
    if (response.status === 401 && (await signInAgain())) return await download(path, onBytes, signal);
    if (!response.ok || response.body === null) return { problem: await readProblem(response, path) };
    return { content: await readAll(response.body, onBytes) };
  } catch {
    return signal.aborted ? 'stopped' : { problem: lostConnection(path) };
  }
}

/** An export is cut off where something goes wrong behind its first line, and then reading it fails. */
async function readAll(body: ReadableStream<Uint8Array<ArrayBuffer>>, onBytes: (bytes: number) => void): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = body.getReader();
  let bytes = 0;
  for (let piece = await reader.read(); !piece.done; piece = await reader.read()) {
    pieces.push(piece.value);
    bytes += piece.value.length;
    onBytes(bytes);
  }
  return new Blob(pieces, { type: 'text/csv;charset=utf-8' });
}
