import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** A part of the code and the share of the busy time that was spent in it, callees not counted. */
export interface Share {
  name: string;
  /** From 0 to 1. */
  share: number;
}

interface Profile {
  nodes: { id: number; callFrame: { functionName: string; url: string } }[];
  samples: number[];
  /** Microseconds from each sample to the one before. */
  timeDeltas: number[];
}

const root = new URL('../../..', import.meta.url);

/**
 * Reads what `node --cpu-prof` wrote: how long the process was busy in the last `seconds` of its life, and with what.
 * The project's own code is named by file, libraries by package, and what has no file by V8's name for it.
 */
export function readCpuProfile(path: string, seconds: number): { busySeconds: number; shares: Share[] } {
  const profile = JSON.parse(readFileSync(path, 'utf8')) as Profile;
  const frames = new Map(profile.nodes.map(({ id, callFrame }) => [id, callFrame]));
  const whole = profile.timeDeltas.reduce((sum, delta) => sum + delta, 0);
  const micros = new Map<string, number>();
  let at = 0;
  let busy = 0;
  for (const [index, id] of profile.samples.entries()) {
    const delta = profile.timeDeltas[index]!;
    at += delta;
    const { functionName, url } = frames.get(id)!;
    if (at < whole - seconds * 1e6 || functionName === '(idle)') continue;
    busy += delta;
    const name = partOf(url) ?? functionName;
    micros.set(name, (micros.get(name) ?? 0) + delta);
  }
  const shares = [...micros].map(([name, spent]) => ({ name, share: spent / busy }));
  return { busySeconds: busy / 1e6, shares: shares.sort((a, b) => b.share - a.share) };
}

function partOf(url: string): string | null {
  if (url === '') return null;
  const library = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (library !== undefined) return library;
  return url.startsWith('file:') ? fileURLToPath(url).slice(fileURLToPath(root).length) : url;
}
