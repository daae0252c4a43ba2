import {
  type ApplicationAutoScalingClient,
  DescribeScalableTargetsCommand,
  RegisterScalableTargetCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { DescribeServicesCommand, type ECSClient } from '@aws-sdk/client-ecs';
import type { Capacity } from './event-calendar.ts';

/** The scaling of one ECS service. */
export interface ServiceScaling {
  /** Between how many tasks the service runs now; null before the first registration. */
  range(): Promise<Capacity | null>;
  /** How many tasks the scaling wants now. */
  desiredTasks(): Promise<number>;
  /** Sets the range. A number of tasks outside of it is changed at once, however busy the tasks are. */
  register(capacity: Capacity): Promise<void>;
}

const target = { ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount' } as const;

/** @param resourceId `service/<cluster>/<service>` */
export function serviceScaling(
  autoScaling: ApplicationAutoScalingClient,
  ecs: ECSClient,
  resourceId: string,
): ServiceScaling {
  const [, cluster, service] = resourceId.split('/');
  return {
    async range() {
      const command = new DescribeScalableTargetsCommand({ ...target, ResourceIds: [resourceId] });
      const { ScalableTargets } = await autoScaling.send(command);
      const found = ScalableTargets?.[0];
      return found === undefined ? null : { min: found.MinCapacity!, max: found.MaxCapacity! };
    },
    async desiredTasks() {
      const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [service!] }));
      return services?.[0]?.desiredCount ?? 0;
    },
    async register({ min, max }) {
      const command = { ...target, ResourceId: resourceId, MinCapacity: min, MaxCapacity: max };
      await autoScaling.send(new RegisterScalableTargetCommand(command));
    },
  };
}
