// Loaded by npm's scripts before their program, which an older Node could not even read. JavaScript for that reason.
import { existsSync } from 'node:fs';

const { node } = process.versions;
const isInstalled = existsSync(new URL('../../node_modules', import.meta.url));
if (!isInstalled) {
  console.error('Run "npm ci" first: it brings everything that Qurable needs, Node 24 included.');
  process.exit(1);
}
if (node.split('.')[0] !== '24') {
  console.error(
    `Qurable runs on Node 24, and this is Node ${node}; "npm ci" brings the right one, and npm's scripts use it.`,
  );
  process.exit(1);
}
