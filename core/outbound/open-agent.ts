import { Agent } from 'undici';
import { openConnector, type Resolve } from './open-connector.ts';

const connectMaxMillis = 10_000;
const connectionsOfOrigin = 16;

/**
 * Opens what keeps the connections of a sender (see open-sender.ts).
 * @param allowLoopback whether they may lead to this very machine
 * @param resolve the machine's resolver unless given
 */
export function openAgent(allowLoopback: boolean, resolve?: Resolve): Agent {
  return new Agent({
    connect: openConnector(allowLoopback, connectMaxMillis, resolve),
    connections: connectionsOfOrigin,
    pipelining: 1,
    keepAliveTimeout: 4_000,
    keepAliveMaxTimeout: 10_000,
    maxHeaderSize: 16_384,
  });
}
