import fp from 'fastify-plugin';
import { schemas } from './answers.ts';

/** Makes the schemas known that routes name by their `$id`. */
export const sharedSchemas = fp(
  async (app) => {
    for (const schema of schemas) app.addSchema(schema);
  },
  { name: 'shared-schemas' },
);
