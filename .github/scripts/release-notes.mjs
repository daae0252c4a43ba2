// Prints the changelog's section of a release for people: release-notes.mjs v0.1.0. It refuses a tag that is not the
// version in package.json, or that the changelog does not know with a day and a text.
import { readFileSync } from 'node:fs';

const [tag = ''] = process.argv.slice(2);
const { version } = JSON.parse(readFileSync('package.json', 'utf8'));
const sections = readFileSync('CHANGELOG.md', 'utf8').split(/^## /m).slice(1);

function fail(reason) {
  console.error(`release-notes: ${reason}`);
  process.exit(1);
}

if (tag !== `v${version}`) fail(`the tag is ${tag || 'not given'}, and package.json has the version ${version}`);
const section = sections.find((text) => text.startsWith(`[${version}]`));
if (section === undefined) fail(`CHANGELOG.md has no section [${version}]`);
const [head, ...lines] = section.split('\n');
if (!/^\[[^\]]+\] - \d{4}-\d\d-\d\d$/.test(head)) fail(`the section [${version}] of CHANGELOG.md has no day`);
const text = lines.join('\n').trim();
if (text === '') fail(`the section [${version}] of CHANGELOG.md is empty`);
console.log(text);
