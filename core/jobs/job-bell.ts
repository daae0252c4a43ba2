/**
 * Tells the job workers of this process that there is a new job. Those of other processes find it when they next look.
 */
export interface JobBell {
  ring(): void;
  /** What is called when it rings, one listener at most. */
  onRing(listener: () => void): void;
}

/** Opens a bell that nobody listens to yet. */
export function openJobBell(): JobBell {
  let listener = () => {};
  return {
    ring: () => listener(),
    onRing(heard) {
      listener = heard;
    },
  };
}
