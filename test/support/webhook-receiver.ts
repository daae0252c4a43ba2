import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** A request that a receiver has got, its signature good. */
export interface Received {
  id: string;
  type: string;
  timestamp: string;
  /** What was answered. */
  status: number;
  data: Record<string, unknown> & { code: string; rev: number };
}

/** A webhook's receiver on this machine. */
export interface Receiver {
  readonly url: string;
  /** In the order in which they came, refused ones too. */
  readonly received: Received[];
  /** Requests whose signature was not good under the receiver's secrets. */
  readonly unsigned: number;
  /** The secrets that the receiver knows: each of them must accept a request. */
  secrets: string[];
  /** Nothing is answered before this has come. */
  opening: Promise<unknown>;
  /** Answers the next request with a status; null: never; `cut`: by the end of the connection. */
  answer: (request: Received) => number | null | 'cut' | { status: number; headers: Record<string, string> };
  close(): Promise<void>;
}

/** Starts a receiver that takes everything. It verifies by the reference library of Standard Webhooks. */
export async function startReceiver(port = 0): Promise<Receiver> {
  const received: Received[] = [];
  const state = { unsigned: 0 };
  const server = createServer((request, response) => {
    read(request).then(
      async (body) => {
        await receiver.opening;
        take(request, response, body);
      },
      () => {},
    );
  });
  const receiver: Receiver = {
    url: '',
    received,
    get unsigned() {
      return state.unsigned;
    },
    secrets: [],
    opening: Promise.resolve(),
    answer: () => 200,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };

  function take(request: IncomingMessage, response: ServerResponse, body: string): void {
    const headers = request.headers as Record<string, string>;
    try {
      for (const secret of receiver.secrets) new Webhook(secret).verify(body, headers);
    } catch {
      state.unsigned += 1;
    }
    const { type, timestamp, data } = JSON.parse(body) as Pick<Received, 'type' | 'timestamp' | 'data'>;
    const message: Received = { id: headers['webhook-id']!, type, timestamp, status: 0, data };
    const answer = receiver.answer(message);
    received.push(message);
    if (answer === null) return;
    if (answer === 'cut') {
      request.socket.destroy();
      return;
    }
    const { status, headers: more = {} } = typeof answer === 'number' ? { status: answer } : answer;
    message.status = status;
    response.writeHead(status, more).end();
  }

  // Node would close an idle connection after five seconds, just when a client that was stalled sends on it.
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  return Object.assign(receiver, { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook` });
}

async function read(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}
