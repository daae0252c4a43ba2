import { connect, createServer, type Server, type Socket } from 'node:net';
import { findFreePort } from '../../containers/local/machine/find-free-port.ts';

/** Where in a conversation a fault strikes: a statement by its name, or the text of a simple query such as `commit`. */
export type FaultPoint = string;

/**
 * What happens there. `cut-before`: the connection is cut and the server never sees the statement. `cut-after`: the
 * server carries it out, and the connection is cut instead of bringing the answer. `cut-during`: the statement is sent
 * on and the connection cut at once, so that nobody here knows how far the server came. `stall-before` and
 * `stall-answer`: statement or answer is held back until the fault is released; the connection stays up.
 */
export type FaultKind = 'cut-before' | 'cut-after' | 'cut-during' | 'stall-before' | 'stall-answer';

/** An armed fault; it strikes once. */
export interface Fault {
  /**
   * Resolves when the fault has struck; for `cut-after` and `stall-answer`, when the server has answered. Rejects when
   * it is released without.
   */
  struck: Promise<void>;
  /** Lets a stalled conversation go on; disarms a fault that has not struck. */
  release(): void;
}

/** A TCP proxy in front of PostgreSQL that understands enough of the protocol to break it at a chosen statement. */
export interface FaultProxy {
  /** The database's URL by way of the proxy. */
  url: string;
  /** Arms a fault for the next statement like this on any connection, after `skip` others like it. */
  arm(point: FaultPoint, kind: FaultKind, skip?: number): Fault;
  /**
   * Swallows everything from now on, in both directions and on new connections too, as a network does that has lost its
   * way: nothing is refused. The function that it returns lets all of it through.
   */
  stallAll(): () => void;
  /** Cuts every connection at once. */
  cutAll(): void;
  /** Refuses new connections from now on, as a server does that is not there; `accept` ends it. */
  refuse(): Promise<void>;
  accept(): Promise<void>;
  /** The points that went by since the last call, in their order over all connections. */
  takeTrace(): FaultPoint[];
  close(): Promise<void>;
}

interface ArmedFault {
  point: FaultPoint;
  kind: FaultKind;
  skip: number;
  strike: () => void;
  released: Promise<void>;
}

/** Opens a proxy on a free port of 127.0.0.1 in front of the server that the URL names. */
export async function openFaultProxy(databaseUrl: string): Promise<FaultProxy> {
  const target = new URL(databaseUrl);
  const armed = new Set<ArmedFault>();
  const links = new Set<Link>();
  let isStalled = false;
  let trace: FaultPoint[] = [];

  const take = (point: FaultPoint): ArmedFault | null => {
    trace.push(point);
    for (const fault of armed) {
      if (fault.point !== point) continue;
      fault.skip -= 1;
      if (fault.skip >= 0) continue;
      armed.delete(fault);
      return fault;
    }
    return null;
  };
  const onClient = (client: Socket) => {
    const link = openLink(client, connect(Number(target.port), target.hostname), take);
    links.add(link);
    if (isStalled) link.stall();
    client.on('close', () => links.delete(link));
  };

  // Not one that the system gives to clients: while the proxy refuses, one of them might have it.
  const port = await findFreePort();
  let server = await listen(onClient, port);
  const url = new URL(databaseUrl);
  url.hostname = '127.0.0.1';
  url.port = String(port);

  const stopListening = (): Promise<void> =>
    new Promise((resolve) => {
      if (!server.listening) return resolve();
      // The callback comes once the last connection is gone; that nobody can connect is true at once.
      server.close();
      resolve();
    });

  return {
    url: url.href,
    arm(point, kind, skip = 0) {
      const { promise: struck, resolve: strike, reject: miss } = Promise.withResolvers<void>();
      const { promise: released, resolve: release } = Promise.withResolvers<void>();
      // Whoever does not wait for the fault need not hear that it did not strike.
      struck.catch(() => {});
      const fault: ArmedFault = { point, kind, skip, strike, released };
      armed.add(fault);
      return {
        struck,
        release: () => {
          armed.delete(fault);
          release();
          // Does nothing where it has struck.
          miss(new Error(`no ${kind} struck at ${point}`));
        },
      };
    },
    stallAll() {
      isStalled = true;
      for (const link of links) link.stall();
      return () => {
        isStalled = false;
        for (const link of links) link.resume();
      };
    },
    cutAll() {
      for (const link of links) link.cut();
    },
    refuse: stopListening,
    async accept() {
      if (!server.listening) server = await listen(onClient, port);
    },
    takeTrace() {
      const taken = trace;
      trace = [];
      return taken;
    },
    async close() {
      await stopListening();
      for (const link of links) link.cut();
    },
  };
}

function listen(onClient: (client: Socket) => void, port: number): Promise<Server> {
  const server = createServer(onClient);
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

interface Link {
  cut(): void;
  /** Reads nothing more from either side until `resume`. */
  stall(): void;
  resume(): void;
}

/**
 * One client's conversation. Statements go through one after the other, so a stalled one holds up those behind it. A
 * fault strikes only once everything before its statement has been answered: a client may send several at once, and
 * where in a conversation it breaks must not depend on how far the server has come with them.
 */
function openLink(client: Socket, server: Socket, take: (point: FaultPoint) => ArmedFault | null): Link {
  /** What becomes of the server's bytes: passed on, thrown away until the cut, or held back. */
  let answers: 'pass' | 'drop' | 'hold' = 'pass';
  let onAnswer: (() => void) | null = null;
  let held: Buffer[] = [];
  let queue = Promise.resolve();
  /** Answers that the server owes: one a ReadyForQuery, of which the connection's start brings the first. */
  let owed = 1;
  let onSettled: (() => void) | null = null;

  const cut = () => {
    client.destroy();
    server.destroy();
  };
  for (const socket of [client, server]) {
    socket.setNoDelay(true);
    socket.on('error', cut);
    socket.on('close', cut);
  }
  readMessages(server, true, (message) => {
    if (typeOf(message) !== 'Z') return;
    owed -= 1;
    if (owed === 0) onSettled?.();
  });
  server.on('data', (chunk) => {
    if (answers === 'pass') client.write(chunk);
    if (answers === 'hold') held.push(chunk);
    onAnswer?.();
  });

  async function pass(message: Buffer, point: FaultPoint | null): Promise<void> {
    const fault = point === null ? null : take(point);
    if (fault !== null && owed > 0) {
      await new Promise<void>((resolve) => {
        onSettled = resolve;
      });
      onSettled = null;
    }
    // A simple query or a Sync.
    if (['Q', 'S'].includes(typeOf(message))) owed += 1;
    if (fault === null) {
      server.write(message);
      return;
    }
    switch (fault.kind) {
      case 'cut-before':
        cut();
        return fault.strike();
      case 'cut-during':
        answers = 'drop';
        // What follows a Bind says that it is to be carried out, and cut off from that it never would be.
        server.end(typeOf(message) === 'B' ? Buffer.concat([message, executeAndSync]) : message);
        client.destroy();
        return fault.strike();
      case 'cut-after':
        answers = 'drop';
        onAnswer = () => {
          onAnswer = null;
          cut();
          fault.strike();
        };
        server.write(message);
        return;
      case 'stall-before':
        fault.strike();
        await fault.released;
        server.write(message);
        return;
      case 'stall-answer':
        answers = 'hold';
        onAnswer = () => {
          onAnswer = null;
          fault.strike();
        };
        void fault.released.then(() => {
          answers = 'pass';
          for (const chunk of held) client.write(chunk);
          held = [];
        });
        server.write(message);
    }
  }

  let isFirst = true;
  // A connection's first message has no type.
  readMessages(client, false, (message) => {
    const point = isFirst ? null : pointOf(message);
    isFirst = false;
    queue = queue.then(() => pass(message, point));
  });
  return {
    cut,
    stall: () => {
      client.pause();
      server.pause();
    },
    resume: () => {
      client.resume();
      server.resume();
    },
  };
}

/** Cuts one side's bytes into messages; `typed` says whether the first one begins with its type, as all others do. */
function readMessages(socket: Socket, typed: boolean, onMessage: (message: Buffer) => void): void {
  let rest = Buffer.alloc(0);
  let isTyped = typed;
  socket.on('data', (chunk) => {
    rest = Buffer.concat([rest, chunk]);
    for (;;) {
      const start = isTyped ? 1 : 0;
      if (rest.length < start + 4) return;
      const end = start + rest.readInt32BE(start);
      if (rest.length < end) return;
      const message = rest.subarray(0, end);
      rest = rest.subarray(end);
      isTyped = true;
      onMessage(message);
    }
  });
}

const executeAndSync = Buffer.from('E\0\0\0\x09\0\0\0\0\0S\0\0\0\x04', 'latin1');

function typeOf(message: Buffer): string {
  return String.fromCharCode(message[0]!);
}

/** `Q` carries a simple query's text; `B` (Bind) a portal's name, which is empty here, and then the statement's. */
function pointOf(message: Buffer): FaultPoint | null {
  const type = typeOf(message);
  const texts = message.subarray(5).toString('latin1').split('\0');
  if (type === 'Q') return texts[0]!;
  if (type === 'B') return texts[1]!;
  return null;
}
