/** How long the stretches of time are in which events are gone through: short where there are many, long where few. */
export interface Stride {
  millis(): number;
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
}

/** Where each event may become a delivery to several webhooks. */
const usualRules: StrideRules = { firstMillis: 1_000, leastMillis: 100, mostMillis: 3_600_000, wantedEvents: 2_000 };

/** A stride that doubles where there are fewer than half as many events as it should have, and halves above twice. */
export function makeStride({ firstMillis, leastMillis, mostMillis, wantedEvents }: StrideRules = usualRules): Stride {
  let millis = firstMillis;
  const shorten = (parts: number) => {
    millis = Math.max(leastMillis, Math.floor(millis / parts));
  };
  return {
    millis: () => millis,
    went(events) {
      if (events < wantedEvents / 2) millis = Math.min(mostMillis, millis * 2);
      else if (events > 2 * wantedEvents) shorten(2);
    },
    tookTooLong: () => shorten(4),
  };
}
