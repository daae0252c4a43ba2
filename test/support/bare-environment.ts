/** What sets another clock for a process and its children (see test/at-day.sh). */
const ofTheClock = /^(LD_PRELOAD|CLOCK_OFFSET_SECONDS|TZ)$/;

/** An environment that holds nothing of this process's own but its PATH and its clock. */
export function bareEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => name === 'PATH' || ofTheClock.test(name));
  return Object.fromEntries(kept);
}
