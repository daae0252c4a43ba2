import SerializerSelector from '@fastify/fast-json-stringify-compiler';

/** A schema, as far as it is looked through here. */
type Schema = Readonly<Record<string, unknown>>;
type Schemas = Readonly<Record<string, Schema>>;
type BuildSerializer = ReturnType<typeof SerializerSelector>;

/**
 * Fastify's own serializers, each made with the shared schemas alone that its own schema leads to: it would otherwise
 * look through every schema that is shared, which was half of what a start took. Answers of one shape, such as those of
 * GET and HEAD, share a serializer.
 */
export function serializersOfOwnSchemas(): BuildSerializer {
  const build = SerializerSelector();
  return (shared, options) => {
    const made = new Map<string, ReturnType<ReturnType<BuildSerializer>>>();
    return (route) => {
      const shape = JSON.stringify(route.schema);
      const known = made.get(shape);
      if (known !== undefined) return known;
      const needed: Record<string, Schema> = {};
      collect(route.schema, shared as Schemas, needed);
      const serializer = build(needed, options)(route);
      made.set(shape, serializer);
      return serializer;
    };
  };
}

/** Adds what a part of a schema names by `$ref`, and what that names in turn. */
function collect(part: unknown, shared: Schemas, needed: Record<string, Schema>): void {
  if (typeof part !== 'object' || part === null) return;
  for (const [key, value] of Object.entries(part)) {
    if (key !== '$ref' || typeof value !== 'string') collect(value, shared, needed);
    else {
      const id = value.split('#', 1)[0]!;
      const found = shared[id];
      if (found === undefined || needed[id] !== undefined) continue;
      needed[id] = found;
      collect(found, shared, needed);
    }
  }
}
