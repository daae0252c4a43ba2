import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { errorKinds, limits, type Refusal } from '../../../core/index.ts';
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
 * closed after it: where the next request would begin, nobody knows. Answers to the requests before it come first and
 * whole, however long they take: a 400 in the place of one would deny what was done.
 */
export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  if (!socket.writable || answered.has(socket)) return;
  answered.add(socket);
  afterAnswers(socket, () => {
    if (!socket.writable) return;
    const refusal = refusals[error.code ?? ''] ?? malformed;
    const { status } = errorKinds[refusal.kind];
    const body = JSON.stringify(toProblem(refusal, '/'));
    socket.end(
      `HTTP/1.1 ${status} Bad Request\r\ncontent-type: application/problem+json; charset=utf-8\r\n` +
        `content-length: ${Buffer.byteLength(body)}\r\nconnection: close\r\n\r\n${body}`,
    );
    drainAndClose(socket);
  });
}

/** Node's own name for the answer that a connection is to carry next; it has no public one. */
type AnsweringSocket = Socket & { _httpMessage?: ServerResponse | null };

/** Calls `then` once everything that was asked for whole is answered; not at all where an answer can't be completed. */
function afterAnswers(socket: AnsweringSocket, then: () => void): void {
  const answer = socket._httpMessage;
  if (answer === undefined || answer === null) then();
  // When an answer is finished, the next one has taken its place.
  else if (answer.req.complete) answer.once('finish', () => afterAnswers(socket, then));
  // The mistake is in the body of this very request.
  else if (answer.headersSent) socket.destroy();
  else then();
}

const answered = new WeakSet<Socket>();

/**
 * Reads and drops what the client is still sending. Closing at once would reset the connection, and the client would
 * see the reset instead of the answer.
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
