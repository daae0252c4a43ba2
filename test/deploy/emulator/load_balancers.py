"""Load balancers and listeners, with three rules of AWS that moto does not have: one listener a port, no deletion of what is
protected, no service behind a target group that no listener leads to."""

from resource_types import CHECKS, DELETIONS, KINDS, Kind, Resource, without

_type = "AWS::ElasticLoadBalancingV2::"


def _make(at, p):
    name = at.name(p, "Name", 32)
    made = at.call("elbv2", "create_load_balancer", {**p, "Name": name})["LoadBalancers"][0]
    arn = made["LoadBalancerArn"]
    _set_attributes(at, arn, p)
    return Resource(arn, {
        "DNSName": made["DNSName"],
        "LoadBalancerName": name,
        "LoadBalancerFullName": arn.split(":loadbalancer/")[-1],
        "CanonicalHostedZoneID": "Z35SXDOTRQ7X7K",
    })


def _change(at, model, before, p):
    for name in without(p, "LoadBalancerAttributes", "SecurityGroups", "Tags"):
        if p[name] != before.get(name, p[name]):
            raise RuntimeError(f"the emulator does not change {name} of a load balancer")
    at.call("elbv2", "set_security_groups", {"LoadBalancerArn": model.pid, "SecurityGroups": p.get("SecurityGroups", [])})
    _set_attributes(at, model.pid, p)


def _set_attributes(at, arn, p):
    attributes = [item for item in p.get("LoadBalancerAttributes", []) if item["Value"] != ""]
    if attributes:
        at.call("elbv2", "modify_load_balancer_attributes", {"LoadBalancerArn": arn, "Attributes": attributes})


def _delete(at, model, p):
    found = at.call("elbv2", "describe_load_balancer_attributes", {"LoadBalancerArn": model.pid})["Attributes"]
    if {"Key": "deletion_protection.enabled", "Value": "true"} in found:
        raise RuntimeError(f"Load balancer '{model.pid}' cannot be deleted because deletion protection is enabled")
    at.call("elbv2", "delete_load_balancer", {"LoadBalancerArn": model.pid})


KINDS[f"{_type}LoadBalancer"] = Kind(_make, _change, _delete)


def _one_listener_a_port(at, model, p):
    """A port that a listener is about to have must not be another's, whether that one is to go later or not."""
    own = model.physical_resource_id if model is not None else None
    listeners = at.call("elbv2", "describe_listeners", {"LoadBalancerArn": p["LoadBalancerArn"]})["Listeners"]
    for listener in listeners:
        if listener["ListenerArn"] != own and listener["Port"] == int(p["Port"]):
            raise RuntimeError(f"A listener already exists on this port for this load balancer '{p['LoadBalancerArn']}'")


def _led_to(at, model, p):
    """ECS takes no target group that no listener leads to yet."""
    if model is not None:
        return
    for target in p.get("LoadBalancers", []):
        arn = target["TargetGroupArn"]
        found = at.call("elbv2", "describe_target_groups", {"TargetGroupArns": [arn]})["TargetGroups"][0]
        if not found.get("LoadBalancerArns"):
            raise RuntimeError(f"The target group with targetGroupArn {arn} does not have an associated load balancer.")


CHECKS[f"{_type}Listener"] = _one_listener_a_port
CHECKS["AWS::ECS::Service"] = _led_to
DELETIONS[f"{_type}ListenerRule"] = lambda at, model, p: at.call("elbv2", "delete_rule", {"RuleArn": model.physical_resource_id})
