import { registerHooks } from 'node:module';

const coreDoor = new URL('../../../core/index.ts', import.meta.url).href;
const routes = ['assignments', 'coupons'].map(
  (name) => new URL(`../../../containers/api/routes/${name}.ts`, import.meta.url).href,
);

/**
 * Gives the routes of assignments and coupons another module in the place of the core's door, so that everything around
 * the operations stays the product's own code. Works for what is imported afterwards.
 * @param module exports what the door exports, with other operations
 */
export function replaceOperations(module: URL): void {
  registerHooks({
    resolve(specifier, context, next) {
      const resolved = next(specifier, context);
      const isDoor = routes.includes(context.parentURL ?? '') && resolved.url === coreDoor;
      return isDoor ? { ...resolved, url: module.href } : resolved;
    },
  });
}
