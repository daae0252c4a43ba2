// What PostgreSQL is given of its machine: it follows the class, so that another class is one parameter (databaseClass). A
// parameter of the stage that is set wins over what follows.

/** GB of memory by size: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.Summary.html */
const burstable = { micro: 1, small: 2, medium: 4, large: 8, xlarge: 16, '2xlarge': 32 };
/** GB for each of the two processors of `large`; n times as much in `nxlarge`. */
const ofLarge = { m: 8, r: 16 };

/**
 * The memory of a class in MB.
 * @throws Error for a class of which it is not known, such as those with more memory than usual (x, r6id, db.r6i.…tpc2.mem4x)
 */
function memoryOfClass(databaseClass) {
  const [, family, , size] = /^db\.([a-z])(\d[a-z]*)\.(\w+)$/.exec(databaseClass) ?? [];
  const gigabytes = family === 't' ? burstable[size] : (ofLarge[family] ?? Number.NaN) * timesLarge(size);
  if (!Number.isFinite(gigabytes)) {
    throw new Error(
      `the memory of ${databaseClass} is not known: choose a class of t, m or r from ${Object.keys(burstable)[0]} to 48xlarge`,
    );
  }
  return gigabytes * 1024;
}

function timesLarge(size) {
  if (size === 'large') return 1;
  return size === 'xlarge' ? 2 : 2 * Number(/^(\d+)xlarge$/.exec(size ?? '')?.[1] ?? Number.NaN);
}

/**
 * The parameters that follow from a class, in the units of resources/stages.yml. The least class keeps more back for what is
 * not PostgreSQL's; a medium one has what the deployment strategy gives it, but for connections.
 */
function databaseMemory(databaseClass) {
  const megabytes = memoryOfClass(databaseClass);
  const isLeast = megabytes <= 1024;
  return {
    // 625 in 4 GB: what two thirds of 4 GB hold beside shared_buffers (test/package/connection-budget.test.ts).
    databaseMaxConnections: isLeast ? 100 : Math.min(5000, Math.floor((megabytes * 625) / 4096)),
    databaseSharedBuffersMb: isLeast ? 192 : megabytes / 4,
    databaseEffectiveCacheMb: isLeast ? 512 : megabytes * 0.75,
    databaseMaintenanceWorkMemMb: Math.min(2048, megabytes / 16),
    databaseWalBuffersMb: isLeast ? 8 : 16,
    databaseWorkMemMb: isLeast ? 4 : 5,
    // Shared memory in large pages is set aside for good, of which the small ones have none to spare.
    databaseHugePages: megabytes >= 4096,
  };
}

module.exports = { databaseMemory, memoryOfClass };
