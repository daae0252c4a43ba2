import type { TypeBoxTypeProvider } from '@fastify/type-provider-typebox';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import { type Core, type Outcome, type PlainKind, refuse } from '../../../core/index.ts';
import type { Metrics } from '../metrics.ts';

/** The application as routes see it: schemas give their handlers' types. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  TypeBoxTypeProvider
>;

/** What routes are made with. */
export interface RouteTools {
  core: Core;
  metrics: Metrics;
}

/** Sets an outcome's status and says whether it is a replayed one; gives its body. */
export function answer<T>(
  reply: { statusCode: number; header(name: 'idempotency-replayed', value: string): unknown },
  status: number,
  outcome: Outcome<T>,
): T {
  reply.statusCode = status;
  if (outcome.replayed) reply.header('idempotency-replayed', 'true');
  return outcome.body;
}

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** An id out of a path. A text that is no UUID names nothing, which is what the client is told. */
export function idFromPath(text: string, kind: PlainKind): string {
  if (uuid.test(text)) return text.toLowerCase();
  throw refuse(kind, 'There is nothing with this id; ids are UUIDs.');
}
