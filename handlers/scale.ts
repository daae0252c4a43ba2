import { ApplicationAutoScalingClient } from '@aws-sdk/client-application-auto-scaling';
import { ECSClient } from '@aws-sdk/client-ecs';
import { SSMClient } from '@aws-sdk/client-ssm';
import { systemClock } from '../core/index.ts';
import { requireVariable } from './environment.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';
import { readOverrideRequest } from './scale/capacity-override.ts';
import { overrideStore } from './scale/override-store.ts';
import { readCalendar } from './scale/read-calendar.ts';
import { serviceScaling } from './scale/service-scaling.ts';
import { setCapacity } from './scale/set-capacity.ts';

const autoScaling = new ApplicationAutoScalingClient();
const ecs = new ECSClient();
const ssm = new SSMClient();

/**
 * Sets the smallest and the largest number of tasks to what the calendar says for this moment. The schedule calls it
 * every few minutes, each deployment calls it as a custom resource, and an operator with an override. Nothing else
 * registers the service's capacity. The calendar is a part of the bundle (serverless.yml, `define`): it may be too long
 * for a variable of a function.
 */
export const handler = lambdaStack('scale', async (event: unknown, { log, metrics }) => {
  const calendar = readCalendar(process.env.SCALE_CALENDAR ?? '');
  const now = systemClock.now();
  const parts = {
    scaling: serviceScaling(autoScaling, ecs, requireVariable(process.env, 'SCALE_RESOURCE_ID')),
    overrides: overrideStore(ssm, requireVariable(process.env, 'SCALE_OVERRIDE_PARAMETER')),
    calendar,
    log,
    metrics,
  };
  return setCapacity(parts, readOverrideRequest(event, calendar, now), now);
});
