/** How long the stretches of time are in which events are gone through: short where there are many, long where few. */
export interface Stride {
  millis(): number;
  /** Says how many events the last stretch had. */
  went(events: number): void;
}

const leastMillis = 100;
const mostMillis = 3_600_000;
const wantedEvents = 2_000;

/** Begins with a second. */
export function makeStride(): Stride {
  let millis = 1_000;
  return {
    millis: () => millis,
    went(events) {
      if (events < wantedEvents / 2) millis = Math.min(mostMillis, millis * 2);
      else if (events > 2 * wantedEvents) millis = Math.max(leastMillis, millis / 2);
    },
  };
}
