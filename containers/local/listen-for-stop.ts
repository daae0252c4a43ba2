/** Whether somebody has asked this process to stop. */
export type StopRequest = {
  /** Resolves at the first request. */
  requested: Promise<void>;
  /** True from the first request on. */
  isRequested(): boolean;
};

/**
 * Listens for Ctrl-C, SIGTERM and a closing terminal. The first one is a request, which leaves time to drain; the second
 * ends the process at once, and the supervisors of its servers then stop them.
 */
export function listenForStop(): StopRequest {
  let isRequested = false;
  const { promise: requested, resolve } = Promise.withResolvers<void>();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (isRequested) process.exit(130);
      isRequested = true;
      resolve();
    });
  }
  return { requested, isRequested: () => isRequested };
}
