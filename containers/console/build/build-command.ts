/** Builds the console, whatever is there already: for the image. */
import { buildConsole } from './build-console.ts';

await buildConsole();
