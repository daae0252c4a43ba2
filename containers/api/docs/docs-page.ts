import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';
import fp from 'fastify-plugin';

/** Where the pages are. The guard is told, as their plugin's routes say nothing of roles. */
export const docsPrefix = '/docs';

/**
 * The documentation's pages use their own files alone, over http too: a first try is on a machine without a
 * certificate.
 */
const contentPolicy =
  "default-src 'self'; base-uri 'self'; frame-ancestors 'none'; img-src 'self' data:; object-src 'none'";

/** A ticket with a perforation, in the page's tab. */
const icon = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path fill="#1a7f5a" d="M3 7h26v6a3 3 0 0 0 0 6v6H3v-6a3 3 0 0 0 0-6z"/><path stroke="#fff" stroke-width="2" stroke-dasharray="3 2" d="M20 7v18"/></svg>`;

/**
 * A route has up to a dozen refusals, all of one shape. With an example and headers for each they would fill five
 * screens, so the pages show only what each means, and the schema Problem once. The address of the document is told in
 * the guide, as the contract has it.
 */
const styles = `
.swagger-ui .info .main > a { display: none; }
.swagger-ui .responses-table:not(.live-responses-table) .response:not([data-code^="2"])
  :is(.response-controls, .model-example, .headers-wrapper) { display: none; }
`;

/**
 * Adds `/docs`, the pages that show the OpenAPI document to people and try it out, and leads `/` there. A key that is
 * entered lives as long as the page: kept in the browser's storage, an installation's root key would lie there readable
 * for whoever uses the browser next.
 */
export const docsPage = fp(addDocsPage, { name: 'docs-page', dependencies: ['guard', 'openapi'] });

async function addDocsPage(app: FastifyInstance): Promise<void> {
  await app.register(swaggerUi, {
    routePrefix: docsPrefix,
    staticCSP: contentPolicy,
    theme: {
      title: 'Qurable API',
      favicon: [{ filename: 'icon.svg', rel: 'icon', type: 'image/svg+xml', sizes: 'any', content: icon }],
      css: [{ filename: 'qurable.css', content: styles }],
    },
    // Without the bar of the standalone layout, which asks for the address of a document.
    uiConfig: { layout: 'BaseLayout', validatorUrl: null, defaultModelsExpandDepth: 0, persistAuthorization: false },
  });
  app.get('/', { config: { roles: 'public' }, schema: { hide: true } }, (_request, reply) =>
    reply.redirect(docsPrefix),
  );
}
