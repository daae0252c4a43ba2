import type {
  FastifyBaseLogger,
  FastifyInstance,
  FastifyTypeProvider,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import fp from 'fastify-plugin';
import type { Static, TSchema } from 'typebox';
import type { Core, HealthSources, Outcome } from '../../../core/index.ts';
import type { Metrics } from '../observe/metrics.ts';

declare module 'fastify' {
  interface FastifyInstance {
    /** What operations take as their first argument. */
    core: Core;
    metrics: Metrics;
    /** What the health of the process is read from, beside the core. */
    health: HealthSources;
    /** Whether a shutdown is on. */
    drain: { readonly isOn: boolean };
  }
}

/**
 * Schemas give handlers their types: what a request holds, and what must be returned. Of a route that is `idempotent`
 * that is an Outcome of it, out of which the answer is made.
 */
interface SchemaTypes extends FastifyTypeProvider {
  validator: this['schema'] extends TSchema ? Static<this['schema']> : unknown;
  serializer: this['schema'] extends TSchema ? Static<this['schema']> | Outcome<Static<this['schema']>> : unknown;
}

/** The application as routes see it. */
export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  SchemaTypes
>;

/** What must be there before a route is, as it acts on routes while they are added. */
const everyRouteNeeds = [
  'json-bodies',
  'known-parameters',
  'guard',
  'guess-throttle',
  'idempotency-keys',
  'unknown-routes',
  'openapi',
  'shared-schemas',
];

/**
 * Makes a plugin of some routes. It refuses to load before whatever enforces their rules. What it registers itself,
 * such as another reader of bodies, is for its own routes alone.
 */
export function routes(name: string, add: (app: Api) => void | Promise<void>) {
  return fp(
    async (app: FastifyInstance) => {
      await add(app.withTypeProvider<SchemaTypes>());
    },
    {
      name,
      dependencies: everyRouteNeeds,
      decorators: { fastify: ['core', 'metrics', 'drain', 'health'] },
      encapsulate: true,
    },
  );
}
