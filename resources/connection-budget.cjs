// How many connections the database must have: of every task that may run at a time, while one version takes another's
// place, of the functions, and of people.

/** Those of PostgreSQL for a superuser, those of RDS for its own work, and five for people with a psql. */
const reserved = { superuser: 3, ofRds: 5, people: 5 };
/**
 * `migrate` holds one; an attempt that was given up may still be ending. `rotate` makes one at a time, likewise.
 * `ask-restored` asks a copy of the database, and none of its own.
 */
const ofFunctions = { MigrateLambdaFunction: 2, RotateLambdaFunction: 2, AskDashrestoredLambdaFunction: 0 };
/** The connection of each task for the rounds of marks (core/restore/mark-rounds.ts), beside its pools. */
const ofMarks = 1;

/** The connections of one task to the database itself, by the numbers that the API opens its pools with. */
async function connectionsOfTask({ databasePoolMax, databaseReplica }) {
  const { backgroundConnections, coldConnections, sideConnections } = await import('../core/db/open-pools.ts');
  const reads = databaseReplica ? 0 : sideConnections.reads;
  const writers = databasePoolMax + coldConnections(databasePoolMax) + backgroundConnections(databasePoolMax);
  return { writers, all: writers + sideConnections.ready + reads + ofMarks };
}

/** How many tasks there may be at a time: a second set of all of them unless they are rolled. */
function tasksAtMost({ deployment, eventMaxTasks, rollingMaxPercent }) {
  return Math.ceil((eventMaxTasks * (deployment === 'rolling' ? rollingMaxPercent : 200)) / 100);
}

const sum = (numbers) => numbers.reduce((a, b) => a + b, 0);
const beside = sum(Object.values(reserved)) + sum(Object.values(ofFunctions));

/**
 * Whether the database has a connection for everybody in the worst hour.
 * @param checked the parameters of a stage
 * @returns null, or why not, with what to change
 */
async function connectionTrouble(checked) {
  const { all } = await connectionsOfTask(checked);
  const tasks = tasksAtMost(checked);
  const needed = tasks * all + beside;
  if (needed < checked.databaseMaxConnections) return null;
  const room = Math.floor((checked.databaseMaxConnections - 1 - beside) / all);
  const each = tasks / checked.eventMaxTasks;
  return (
    `${tasks} tasks at a time (eventMaxTasks ${checked.eventMaxTasks}, deployment ${checked.deployment}) need ${needed} connections, and ` +
    `databaseMaxConnections of ${checked.databaseClass} is ${checked.databaseMaxConnections}: set eventMaxTasks to ${Math.floor(room / each)} at most, or a larger databaseClass`
  );
}

module.exports = { beside, connectionsOfTask, connectionTrouble, ofFunctions, reserved, tasksAtMost };
