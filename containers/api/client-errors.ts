import type { Socket } from 'node:net';
import { errorKinds, limits, type Refusal } from '../../core/index.ts';
import { toProblem } from './problems.ts';

/** How long a refused client may go on sending before its connection is cut. */
const lingerMillis = 2_000;

const refusals: Record<string, Refusal> = {
  HPE_HEADER_OVERFLOW: broken(
    'headers',
    `must have at most ${limits.headerMaxBytes} bytes together; is the token too long?`,
  ),
  ERR_HTTP_REQUEST_TIMEOUT: broken('headers', 'did not arrive in time'),
};
const malformed = broken('request', 'must be well-formed HTTP/1.1');

/**
 * Answers what never became a request, such as headers beyond the limit, with a problem document. The connection is
 * closed after it: where the next request would begin, nobody knows.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable || answered.has(socket)) return;
  answered.add(socket);
  const refusal = refusals[error.code ?? ''] ?? malformed;
  const { status } = errorKinds[refusal.kind];
  const body = JSON.stringify(toProblem(refusal, '/'));
  socket.end(
    `HTTP/1.1 ${status} Bad Request\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
      `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
  );
  drainAndClose(socket);
}

const answered = new WeakSet<Socket>();

/**
 * Reads and drops what the client is still sending. Closing at once would reset the connection, and the client would see
 * the reset instead of the answer.
 */
function drainAndClose(socket: Socket): void {
  socket.removeAllListeners('data');
  socket.resume();
  const timer = setTimeout(() => socket.destroy(), lingerMillis);
  socket.once('close', () => clearTimeout(timer));
}

function broken(path: string, message: string): Refusal {
  return { kind: 'invalid-input', detail: `${path}: ${message}`, errors: [{ path, message }] };
}
