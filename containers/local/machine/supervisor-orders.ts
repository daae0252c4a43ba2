/** A signal to send, and how long after the stop was asked for, in milliseconds. */
export type StopStep = { signal: NodeJS.Signals; afterMillis: number };

/** A program to run for as long as this process lives, and no longer. */
export type SupervisedCommand = {
  /** Absolute path of the program. */
  file: string;
  args: string[];
  /** An existing directory that the program's user may enter. */
  workingDirectory: string;
  /** The user and group to run as; only root can choose them. */
  account?: { uid: number; gid: number } | undefined;
  /** Written to the program's standard input, which is then closed. */
  input?: string | undefined;
  /** How to end the program, the gentlest way first. */
  stopSteps: StopStep[];
  /**
   * Whether the program shares a clock that a preloaded library sets for this process; without it, it has the
   * machine's.
   */
  sharesClock: boolean;
};

/** What the parent asks of its supervisor: first to start, later what to delete in the end. */
export type SupervisorOrder = { start: SupervisedCommand } | { deleteAfterwards: string[] };

/** What the supervisor tells its parent. */
export type SupervisorReport = { kind: 'started'; pid: number } | { kind: 'ended'; how: string };
