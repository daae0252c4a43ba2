"""What moto's models lack: attributes that CloudFormation has, and what one call does to another service."""

import json
import math

import moto.applicationautoscaling.models as autoscaling
import moto.cloudformation.models as cloudformation
import moto.cloudformation.responses as cloudformation_responses
import moto.cloudwatch.models as cloudwatch
import moto.cloudwatch.responses as cloudwatch_responses
import moto.elasticache.models as elasticache
import moto.elbv2.models as elb
import moto.rds.models as rds_models
import moto.rds.utils as rds
import moto.s3.models as s3
import yaml
from moto.core.responses import EmptyResult
from moto.core.utils import utcnow
from moto.iam.access_control import PermissionResult


def _target_group_attribute(self, name):
    values = {
        "TargetGroupFullName": self.arn.split(":")[-1],
        "TargetGroupArn": self.arn,
        "TargetGroupName": self.name,
        "LoadBalancerArns": self.load_balancer_arns,
    }
    return values[name]


class _JsonFirst:
    """YAML, but a template in JSON, which is YAML as well, is read as JSON, in a hundredth of the time."""

    def __getattr__(self, name):
        return getattr(yaml, name)

    def load(self, text, Loader):
        try:
            return json.loads(text)
        except ValueError:
            return yaml.load(text, Loader=Loader)


def install():
    cloudformation.yaml = cloudformation_responses.yaml = _JsonFirst()
    elb.FakeTargetGroup.has_cfn_attr = classmethod(lambda cls, name: True)
    elb.FakeTargetGroup.get_cfn_attribute = _target_group_attribute
    # moto judges a bucket's policy without its conditions, so that a refusal of plain HTTP would refuse everyone. The
    # policy is kept and can be read back; what it allows is not emulated.
    s3.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
    # RDS takes a maintenance window that begins when the backup window ends.
    moto_overlap = rds.get_overlap_between_two_date_ranges
    rds.get_overlap_between_two_date_ranges = lambda *ranges: moto_overlap(*ranges) or -1
    # What is restored has no second zone and no protection where that is said; moto hears a yes alone.
    moto_restore = rds_models.RDSBackend.restore_db_instance_to_point_in_time

    def restore_db_instance_to_point_in_time(self, source, target, overrides):
        restored = moto_restore(self, source, target, overrides)
        for name in ("multi_az", "deletion_protection", "publicly_accessible", "copy_tags_to_snapshot"):
            if overrides.get(name) is False:
                setattr(restored, name, False)
        return restored

    rds_models.RDSBackend.restore_db_instance_to_point_in_time = restore_db_instance_to_point_in_time
    # A service with fewer or more tasks than a range that is registered gets the nearest number at once.
    moto_register = autoscaling.ApplicationAutoscalingBackend.register_scalable_target

    def register_scalable_target(self, *args, **named):
        target = moto_register(self, *args, **named)
        if target.service_namespace == "ecs":
            _, cluster, name = target.resource_id.split("/")
            service = self.ecs_backend.describe_services(cluster, [name])[0][0]
            service.desired_count = min(max(service.desired_count, target.min_capacity), target.max_capacity)
        return target

    autoscaling.ApplicationAutoscalingBackend.register_scalable_target = register_scalable_target
    # A cache's snapshot has its time in the part of each node alone.
    moto_snapshot = elasticache.ElastiCacheBackend.create_snapshot

    def create_snapshot(self, *args, **named):
        snapshot = moto_snapshot(self, *args, **named)
        snapshot.node_snapshots = [{"CacheClusterId": snapshot.cache_cluster_id, "SnapshotCreateTime": utcnow()}]
        return snapshot

    elasticache.ElastiCacheBackend.create_snapshot = create_snapshot
    # Percentiles, of single values.
    moto_statistic = cloudwatch.Statistics.get_statistics_for_type

    def get_statistics_for_type(self, stat):
        if not stat.startswith("p"):
            return moto_statistic(self, stat)
        values = sorted(self.metric_single_values_list)
        return values[max(0, math.ceil(float(stat[1:]) / 100 * len(values)) - 1)] if values else None

    cloudwatch.Statistics.get_statistics_for_type = get_statistics_for_type
    # An alarm that is mute.
    def set_actions(is_on):
        def set_for_names(self):
            for name in self._get_param("AlarmNames", []):
                self.cloudwatch_backend.alarms[name].actions_enabled = is_on
            return EmptyResult()

        return set_for_names

    cloudwatch_responses.CloudWatchResponse.disable_alarm_actions = set_actions(False)
    cloudwatch_responses.CloudWatchResponse.enable_alarm_actions = set_actions(True)
