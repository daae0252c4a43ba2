import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type FolderSize, type Measure, measureHouse } from './measure-house.ts';

const usage = `npm run measure [-- [--list] [<folder of another checkout>]]

Prints the figures of the house: how large its folders are, which circles they and the files form, how much an
operation reaches, what is beyond the bounds. With the folder of another checkout, such as one that "git worktree add"
made of an older commit, that one's figures stand before those of this one. --list names what was counted.`;

type House = ReturnType<typeof measureHouse>;

function main(): void {
  const { values, positionals } = parseArgs({
    options: { list: { type: 'boolean' }, help: { type: 'boolean' } },
    allowPositionals: true,
  });
  if (values.help) {
    console.log(usage);
    return;
  }
  const here = measureHouse(fileURLToPath(new URL('../..', import.meta.url)));
  const houses = [...positionals.map((folder) => measureHouse(resolve(folder))), here];
  const heads = houses.length === 1 ? ['now'] : [...positionals.map(() => 'before'), 'after'];
  printTable(['measure', ...heads], measureRows(houses));
  console.log();
  printTable(['folder', ...heads.map((head) => `${head}: files, lines`)], folderRows(houses));
  if (values.list) for (const measure of here.measures) printList(measure);
}

function measureRows(houses: House[]): string[][] {
  const names = [...new Set(houses.flatMap(({ measures }) => measures.map(({ what }) => what)))];
  return names.map((what) => [
    what,
    ...houses.map(({ measures }) => String(measures.find((measure) => measure.what === what)?.value ?? '–')),
  ]);
}

function folderRows(houses: House[]): string[][] {
  const names = [...new Set(houses.flatMap(({ folders }) => folders.map(({ folder }) => folder)))].sort();
  return names.map((name) => [
    name,
    ...houses.map(({ folders }) => sizeText(folders.find(({ folder }) => folder === name))),
  ]);
}

const sizeText = (size: FolderSize | undefined) => (size === undefined ? '–' : `${size.files}, ${size.lines}`);

function printTable(head: string[], rows: string[][]): void {
  const line = (cells: string[]) => console.log(`| ${cells.join(' | ')} |`);
  line(head);
  line(head.map(() => '---'));
  for (const row of rows) line(row);
}

function printList({ what, list = [] }: Measure): void {
  if (list.length > 0) console.log(`\n${what}:\n${list.map((entry) => `  ${entry}`).join('\n')}`);
}

main();
