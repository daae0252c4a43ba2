"""Service quotas, as a new account has them, and what the one of Fargate does: tasks beyond it are wanted and do not run.
Those that run are healthy targets of their load balancer."""

from moto.core.utils import utcnow
from moto.ecs import models as ecs
from moto.elbv2 import models as elb
from moto.servicequotas.models import ServiceQuotasBackend

_names = {
    "fargate/L-3032A538": "Fargate On-Demand vCPU resource count",
    "lambda/L-B99A9384": "Concurrent executions",
}
_values = {"fargate/L-3032A538": 6.0, "lambda/L-B99A9384": 10.0}


def set_values(values):
    """Sets quotas as support does, by `service/code`."""
    for key, value in values.items():
        if key not in _values:
            raise KeyError(f"the emulator has no quota {key}")
        _values[key] = float(value)


def _let_run(backend):
    """Gives each service as many running tasks as the quota has room for, the oldest service first."""
    left = _values["fargate/L-3032A538"]
    for service in backend.services.values():
        each = int(backend.describe_task_definition(service.task_definition).cpu) / 1024
        service.running_count = max(0, min(service.desired_count, int(left // each)))
        service.pending_count = service.desired_count - service.running_count
        left -= service.running_count * each
        service.events = [] if service.pending_count == 0 else [{
            "id": f"{service.name}-quota",
            "createdAt": utcnow(),
            "message": f"(service {service.name}) was unable to place a task. Reason: You've reached the limit on the "
            "number of vCPUs you can run concurrently.",
        }]


def install():
    moto_quota = ServiceQuotasBackend.get_service_quota

    def get_service_quota(self, service_code, quota_code):
        key = f"{service_code}/{quota_code}"
        if key not in _values:
            return moto_quota(self, service_code, quota_code)
        return {
            "ServiceCode": service_code, "QuotaCode": quota_code, "QuotaName": _names[key], "Value": _values[key],
            "Adjustable": True, "GlobalQuota": False, "Unit": "None",
        }

    ServiceQuotasBackend.get_service_quota = get_service_quota
    moto_services = ecs.EC2ContainerServiceBackend.describe_services

    def describe_services(self, *args, **named):
        _let_run(self)
        return moto_services(self, *args, **named)

    ecs.EC2ContainerServiceBackend.describe_services = describe_services

    def describe_target_health(self, target_group_arn, targets):
        tasks = ecs.ecs_backends[self.account_id][self.region_name]
        _let_run(tasks)
        running = sum(
            service.running_count
            for service in tasks.services.values()
            if any(target.get("targetGroupArn") == target_group_arn for target in service.load_balancers or [])
        )
        # The ports are those of the tasks; their addresses are nobody's.
        return [elb.FakeHealthStatus(f"10.0.0.{index + 1}", "3000", "3000", "healthy") for index in range(running)]

    elb.ELBv2Backend.describe_target_health = describe_target_health
