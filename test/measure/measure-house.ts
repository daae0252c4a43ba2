import { existsSync, globSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  fileGraph,
  findCircles,
  grouped,
  partsList,
  reachable,
  roomOf,
  withoutArrowsTo,
} from '../support/import-graph.ts';
import { readSources, type Source } from '../support/read-sources.ts';
import { withoutDocstring } from './docstrings.ts';
import { functionsOf } from './functions.ts';
import { lineWidth, wideComments } from './wide-comments.ts';

/** The bounds of the house: lines of a function, and of a file. */
export const bounds = { functionLines: 70, fileLines: 350 };

/** A figure of the house, with what it counts where that can be listed. */
export interface Measure {
  what: string;
  value: number;
  /** What is counted, in a fixed order; left out where it is too long to be read or is no list. */
  list?: string[];
}

/** The size of a folder, without the folders in it. */
export interface FolderSize {
  folder: string;
  files: number;
  lines: number;
}

/** The figures of a checkout of the project. They depend on nothing but its files. */
export function measureHouse(root: string): { folders: FolderSize[]; measures: Measure[] } {
  const folders = ['core', 'containers', 'handlers', 'operations'].filter((folder) => existsSync(join(root, folder)));
  const sources = readSources(root, folders);
  const tests = globSync('test/**/*.ts', { cwd: root }).map((path) => readFileSync(join(root, path), 'utf8'));
  return {
    folders: sizes(sources),
    measures: [
      { what: 'files', value: sources.length },
      { what: 'lines', value: sum(sources.map(linesOf)) },
      { what: 'lines of tests', value: sum(tests.map((text) => text.split('\n').length - 1)) },
      ...circles(sources),
      ...reaches(sources),
      ...beyondBounds(sources),
    ],
  };
}

function sizes(sources: readonly Source[]): FolderSize[] {
  const folders = [...new Set(sources.map(({ path }) => dirname(path)))].sort();
  return folders.map((folder) => {
    const within = sources.filter(({ path }) => dirname(path) === folder);
    return { folder, files: within.length, lines: sum(within.map(linesOf)) };
  });
}

function circles(sources: readonly Source[]): Measure[] {
  const all = fileGraph(sources, 'all');
  const but = withoutArrowsTo(partsList, all);
  const measure = (what: string, found: string[][]): Measure => ({
    what,
    value: found.length,
    list: found.map((members) => members.join(' ⇄ ')),
  });
  return [
    measure('circles of files by values', findCircles(fileGraph(sources, 'values'))),
    measure('circles of files, types counted', findCircles(all)),
    measure(`circles of files, types counted, without ${partsList}`, findCircles(but)),
    measure('circles of folders, types counted', findCircles(grouped(all, roomOf))),
    measure(`circles of folders, types counted, without ${partsList}`, findCircles(grouped(but, roomOf))),
  ];
}

/** How much a reader has to know to know everything that an operation may run. */
function reaches(sources: readonly Source[]): Measure[] {
  const graph = fileGraph(sources, 'values');
  const entries = {
    'a redeem': 'redeem-coupon.ts',
    'an assign': 'assign-coupon.ts',
    'an upload': 'upload-codes.ts',
    'the queues and what they run': 'coupon-batches.ts',
  };
  return Object.entries(entries).map(([what, name]) => {
    const entry = sources.find(({ path }) => path.startsWith('core/') && basename(path) === name);
    if (entry === undefined) throw new Error(`core/ has no ${name}: the measure needs another place to begin at`);
    return { what: `files of core that ${what} reaches by values`, value: reachable(graph, entry.path).size };
  });
}

function beyondBounds(sources: readonly Source[]): Measure[] {
  const functions = sources.flatMap(functionsOf).filter(({ lines }) => lines > bounds.functionLines);
  const files = sources.filter((source) => linesOf(source) > bounds.fileLines);
  const bare = sources.flatMap(withoutDocstring);
  // A field of a book that has this name wherever it is: what one more field would touch.
  const field = sources.filter(({ text }) => /\bmaxCodesPerUser\b/.test(text)).map(({ path }) => path);
  return [
    measured(`functions of more than ${bounds.functionLines} lines`, functions.map(sized)),
    measured(
      `files of more than ${bounds.fileLines} lines`,
      files.map((source) => sized({ place: source.path, lines: linesOf(source) })),
    ),
    measured(`lines of comments of more than ${lineWidth} characters`, sources.flatMap(wideComments)),
    measured('exported names without a docstring', bare),
    measured('files that name a field of a book (maxCodesPerUser)', field),
  ];
}

const measured = (what: string, list: string[]): Measure => ({ what, value: list.length, list });
const sized = ({ place, lines }: { place: string; lines: number }) => `${place}: ${lines}`;
const linesOf = ({ text }: Source) => text.split('\n').length - 1;
const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0);
