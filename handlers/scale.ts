import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { systemClock } from '../core/index.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';
import { readCalendar } from './scale/read-calendar.ts';
import { setCapacity } from './scale/set-capacity.ts';

const autoScaling = new ApplicationAutoScalingClient();

/**
 * Sets the service's least and most tasks to what the calendar says for this moment. The schedule calls it every few
 * minutes and the deployment once, as a custom resource; nothing else registers the service's capacity.
 */
export const handler = lambdaStack('scale', async (_event: unknown, { log, metrics }) => {
  const calendar = readCalendar(requireVariable(process.env, 'SCALE_CALENDAR'));
  const resourceId = requireVariable(process.env, 'SCALE_RESOURCE_ID');
  return setCapacity(autoScaling, resourceId, calendar, systemClock.now(), log, metrics);
});
