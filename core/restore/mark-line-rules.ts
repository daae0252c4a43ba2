/** What a line of marks says about itself. */
export interface MarkLine {
  /** The task that wrote it. */
  task: string;
  /** Counts the lines of the task from 1. */
  line: number;
  /** When it was written, ISO 8601; null where the line does not say so. */
  time: string | null;
}

/** Lines of one task that are missing between two that are there, or a silence in which there should have been one. */
export interface MarkHole {
  task: string;
  /** How many; 0 for a silence. */
  missing: number;
  /** The times of the lines around it. */
  from: string | null;
  to: string | null;
}

/** The lines that were seen. */
export interface MarkLines {
  /** Notes a line; a repeat changes nothing. Lines come in any order. */
  add(line: MarkLine): void;
  /** What is missing between the lines seen so far, by task and in the order of its lines. */
  holes(): MarkHole[];
}

/** Lines without a hole between the first and the last. */
interface Run {
  first: number;
  last: number;
  firstTime: string | null;
  lastTime: string | null;
}

/** A task that deals nothing says so once a minute. */
const silenceMillis = 90_000;

/**
 * Finds lines that are missing by their numbers. What a task wrote before the first line that is there, or after the
 * last, can't be told from here. Silences are told of lines that come in their order.
 */
export function openMarkLines(): MarkLines {
  const runs = new Map<string, Run[]>();
  const silences: MarkHole[] = [];
  return {
    add({ task, line, time }) {
      const ofTask = runs.get(task) ?? [];
      runs.set(task, ofTask);
      if (ofTask.some(({ first, last }) => line >= first && line <= last)) return;
      const before = ofTask.find(({ last }) => last === line - 1);
      const after = ofTask.find(({ first }) => first === line + 1);
      if (before === undefined && after === undefined) {
        ofTask.push({ first: line, last: line, firstTime: time, lastTime: time });
        return;
      }
      if (before === undefined) {
        Object.assign(after!, { first: line, firstTime: time });
        return;
      }
      if (isSilence(before.lastTime, time)) silences.push({ task, missing: 0, from: before.lastTime, to: time });
      Object.assign(before, { last: after?.last ?? line, lastTime: after?.lastTime ?? time });
      if (after !== undefined) ofTask.splice(ofTask.indexOf(after), 1);
    },
    holes() {
      const missing = [...runs].flatMap(([task, ofTask]) => {
        const sorted = ofTask.toSorted((a, b) => a.first - b.first);
        return sorted.slice(1).map((run, at) => {
          const { last, lastTime } = sorted[at]!;
          return { task, missing: run.first - last - 1, from: lastTime, to: run.firstTime };
        });
      });
      return [...missing, ...silences];
    },
  };
}

function isSilence(from: string | null, to: string | null): boolean {
  return from !== null && to !== null && Date.parse(to) - Date.parse(from) > silenceMillis;
}
