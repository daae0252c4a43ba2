"""Attributes that CloudFormation has and moto's models lack."""

import moto.elbv2.models as elb
import moto.rds.utils as rds
import moto.s3.models as s3
from moto.iam.access_control import PermissionResult


def _target_group_attribute(self, name):
    values = {
        "TargetGroupFullName": self.arn.split(":")[-1],
        "TargetGroupArn": self.arn,
        "TargetGroupName": self.name,
        "LoadBalancerArns": self.load_balancer_arns,
    }
    return values[name]


def install():
    elb.FakeTargetGroup.has_cfn_attr = classmethod(lambda cls, name: True)
    elb.FakeTargetGroup.get_cfn_attribute = _target_group_attribute
    moto_attribute = elb.FakeLoadBalancer.get_cfn_attribute

    def load_balancer_attribute(self, name):
        if name == "LoadBalancerFullName":
            return self.arn.split(":loadbalancer/")[-1]
        if name == "CanonicalHostedZoneID":
            return "Z35SXDOTRQ7X7K"
        return moto_attribute(self, name)

    elb.FakeLoadBalancer.get_cfn_attribute = load_balancer_attribute
    # moto judges a bucket's policy without its conditions, so that a refusal of plain HTTP would refuse everyone. The
    # policy is kept and can be read back; what it allows is not emulated.
    s3.FakeBucket.get_permission = lambda self, action, resource: PermissionResult.NEUTRAL
    # RDS takes a maintenance window that begins when the backup window ends.
    moto_overlap = rds.get_overlap_between_two_date_ranges
    rds.get_overlap_between_two_date_ranges = lambda *ranges: moto_overlap(*ranges) or -1
