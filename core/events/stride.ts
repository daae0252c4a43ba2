/** How long the stretches of time are in which events are gone through: short where there are many, long where few. */
export interface Stride {
  /** How long the next stretch is at most. */
  millis(): number;
  /** How long it must have become before it is begun, in milliseconds; 0: it is begun at once. */
  gatherMillis(): number;
  /** Says how many events the last stretch had. */
  went(events: number): void;
  /** Says that a statement's time was over before the stretch was gone through. */
  tookTooLong(): void;
}

/** How long a stride may be, in milliseconds, and how many events it should have. */
export interface StrideRules {
  firstMillis: number;
  leastMillis: number;
  mostMillis: number;
  wantedEvents: number;
  /** Behind a stretch with `busyEvents` or more, the next one is gathered for so long. */
  gatherMillis: number;
  busyEvents: number;
}

/** Where each event may become a delivery to several webhooks, of which each is made as soon as it can be. */
const usualRules: StrideRules = {
  firstMillis: 1_000,
  leastMillis: 100,
  mostMillis: 3_600_000,
  wantedEvents: 2_000,
  gatherMillis: 0,
  busyEvents: 0,
};

/** A stride that doubles where there are fewer than half as many events as it should have, and halves above twice. */
export function makeStride(rules: StrideRules = usualRules): Stride {
  const { firstMillis, leastMillis, mostMillis, wantedEvents } = rules;
  let millis = firstMillis;
  let isBusy = false;
  const shorten = (parts: number) => {
    millis = Math.max(leastMillis, Math.floor(millis / parts));
  };
  return {
    millis: () => millis,
    // No longer than a stretch may be: else each would end before what has come by then.
    gatherMillis: () => (isBusy ? Math.min(rules.gatherMillis, millis) : 0),
    went(events) {
      isBusy = events >= rules.busyEvents;
      if (events < wantedEvents / 2) millis = Math.min(mostMillis, millis * 2);
      else if (events > 2 * wantedEvents) shorten(2);
    },
    tookTooLong: () => shorten(4),
  };
}
