import { askNewTasks } from './ask-new-tasks/ask-new-tasks.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';

/** Twenty connections, over which the load balancer spreads: of a stage's usual tasks each is asked. */
const rounds = 20;

/**
 * ECS calls it in a canary or blue/green deployment, when the new tasks are behind the load balancer's test rule and no
 * client is. What it answers lets the deployment go on, or takes it back.
 */
export const handler = lambdaStack('ask-new-tasks', async (_event: unknown, { log }) =>
  askNewTasks({ address: requireVariable(process.env, 'ASK_ADDRESS'), rounds, log }),
);
