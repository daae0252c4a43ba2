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
 * Sets the service's least and most tasks to what the calendar says for this moment. The schedule calls it every few
 * minutes, the deployment once, as a custom resource, and an operator with an override; nothing else registers the service's
 * capacity. The calendar is a part of the bundle (serverless.yml, `define`), since it may be longer than a function's
 * variables.
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
