// The tag of the API's image: a hash of every file that the image is made of, and the processor that it is for. The same
// files have the same image, whoever builds it, and a deployment names the image that belongs to its own source: no tag
// moves, none is forgotten. The base image is named by its digest in the Dockerfile, so that a new base is a new tag.
//   node resources/image-tag.cjs [ARM64|X86_64]
const { createHash } = require('node:crypto');
const { readdirSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/** What containers/api/Dockerfile copies, and itself. */
const parts = [
  'package.json',
  'package-lock.json',
  'LICENSE',
  'migrations',
  'core',
  'containers/api',
  'containers/console',
  'operations/events',
];

/** What is made of the sources, on each machine and in the image anew: no part of what the tag stands for. */
const builtConsole = 'containers/console/dist';

/** The end of a tag, by which one sees for which processor it is. */
const suffixes = { X86_64: 'amd64', ARM64: 'arm64' };

/** Hashes the parts below `directory`: 24 hexadecimal digits, and the processor. */
function imageTag(directory, cpuArchitecture = 'ARM64') {
  const suffix = suffixes[cpuArchitecture];
  if (suffix === undefined) throw new Error(`${cpuArchitecture} is neither ${Object.keys(suffixes).join(' nor ')}`);
  const hash = createHash('sha256');
  for (const path of parts.flatMap((part) => filesOf(directory, part)).sort()) {
    const content = readFileSync(join(directory, path));
    hash.update(`${path}\0${content.length}\0`).update(content);
  }
  return `${hash.digest('hex').slice(0, 24)}-${suffix}`;
}

/** The files at or below a path, with `/` between their parts on every system. */
function filesOf(directory, path) {
  const isFolder = !path.includes('.') && path !== 'LICENSE';
  if (!isFolder) return [path];
  return readdirSync(join(directory, path), { withFileTypes: true })
    .map((entry) => ({ isFolder: entry.isDirectory(), below: `${path}/${entry.name}` }))
    .filter(({ below }) => !below.startsWith(builtConsole))
    .flatMap(({ isFolder, below }) => (isFolder ? filesOf(directory, below) : [below]));
}

module.exports = { imageTag };

if (require.main === module) console.log(imageTag(join(__dirname, '..'), process.argv[2]));
