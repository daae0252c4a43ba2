"""Attributes that CloudFormation has and moto's models lack."""

import moto.elbv2.models as elb


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
