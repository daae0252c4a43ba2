/** Tells who works on jobs in this process that there is a new one; those of other processes find it by themselves. */
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
