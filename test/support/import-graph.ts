import { dirname } from 'node:path';
import type { Source } from './read-sources.ts';

/** Which names a name leads to. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/**
 * The place of a file in the graph of folders: its folder. What lies at the top of core, of handlers and of
 * containers/api is a place of its own, since it is either what everything stands on (errors, limits) or what stands on
 * everything (the door, the programs). A command for operators is one place with all folders in it.
 */
export function roomOf(path: string): string {
  const folder = dirname(path);
  if (folder.startsWith('operations/')) return folder.split('/').slice(0, 2).join('/');
  return ['core', 'handlers', 'containers/api'].includes(folder) ? path : folder;
}

/**
 * The list of all parts that an operation may ask for: types alone. An operation names its parts by it and the list
 * names the parts by their rooms, so that every room would stand in one circle with it.
 */
export const partsList = 'core/core.ts';

/** The imports between files. @param kinds `all` counts types too */
export function fileGraph(sources: readonly Source[], kinds: 'all' | 'values'): Graph {
  const known = new Set(sources.map(({ path }) => path));
  return new Map(
    sources.map(({ path, imports }) => {
      const counted = imports.filter((entry) => known.has(entry.path) && (kinds === 'all' || !entry.isType));
      return [path, new Set(counted.map((entry) => entry.path))];
    }),
  );
}

/** The same graph without the arrows to one file. */
export function withoutArrowsTo(target: string, graph: Graph): Graph {
  return new Map([...graph].map(([from, to]) => [from, new Set([...to].filter((name) => name !== target))]));
}

/** A graph of larger things: each name stands for the one that it belongs to. */
export function grouped(graph: Graph, groupOf: (name: string) => string): Graph {
  const groups = new Map<string, Set<string>>();
  for (const [from, to] of graph) {
    const group = groups.get(groupOf(from)) ?? new Set();
    for (const name of to) if (groupOf(name) !== groupOf(from)) group.add(groupOf(name));
    groups.set(groupOf(from), group);
  }
  return groups;
}

/** Everything that one can come to from a name, with itself. */
export function reachable(graph: Graph, ...from: string[]): Set<string> {
  const seen = new Set<string>();
  for (let name = from.pop(); name !== undefined; name = from.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    from.push(...(graph.get(name) ?? []));
  }
  return seen;
}

/** The groups of two names or more in which each leads to each, sorted: a graph without circles has none. */
export function findCircles(graph: Graph): string[][] {
  const reach = new Map([...graph.keys()].map((name) => [name, reachable(graph, name)]));
  const circles = new Map<string, string[]>();
  for (const name of [...graph.keys()].sort()) {
    const members = [...reach.get(name)!].filter((other) => reach.get(other)?.has(name)).sort();
    if (members.length > 1) circles.set(members[0]!, members);
  }
  return [...circles.values()];
}
