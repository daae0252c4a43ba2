/** What sets another clock for a process and its children (see test/at-day.sh). */
const ofTheClock = /^(LD_PRELOAD|CLOCK_OFFSET_SECONDS|TZ)$/;
/** Where the run keeps what it may lose (see run-folder.ts). */
const ofTheRun = /^(TMPDIR|NODE_COMPILE_CACHE|SLS_SCHEMA_CACHE_BASE_DIR)$/;

/** An environment that holds nothing of this process's own but its PATH, its clock and the folder of the test run. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => name === 'PATH' || ofTheClock.test(name) || ofTheRun.test(name),
  );
  return Object.fromEntries(kept);
}
