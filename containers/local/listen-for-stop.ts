/** Whether somebody has asked this process to stop. */
export type StopRequest = {
  /** Resolves at the first request. */
  requested: Promise<void>;
  /** True from the first request on. */
  isRequested(): boolean;
};

/**
 * Listens for Ctrl-C, SIGTERM and a closing terminal. The first one asks the process to drain and end. A second Ctrl-C
 * or SIGTERM ends it at once; the supervisors then stop its servers. A closing terminal sends its signal more than
 * once, from the kernel and from the shell, so there a second one does not count.
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
