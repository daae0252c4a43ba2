/** Whether somebody has asked this process to stop. */
export type StopRequest = {
  /** Resolves at the first request. */
  requested: Promise<void>;
  /** True from the first request on. */
  isRequested(): boolean;
};

/**
 * Listens for Ctrl-C, SIGTERM and a closing terminal. The first one is a request, which leaves time to drain; a second
 * Ctrl-C or SIGTERM ends the process at once, and the supervisors of its servers then stop them. A closing terminal says
 * so more than once, the kernel and the shell each for itself, and nobody is impatient there.
 */
export function listenForStop(): StopRequest {
  let isRequested = false;
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isRequested && signal !== 'SIGHUP') process.exit(130);
      isRequested = true;
      resolve();
    });
  }
  return { requested, isRequested: () => isRequested };
}
