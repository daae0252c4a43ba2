"""How each type of resource is made, changed and deleted: the types that moto's CloudFormation lacks or takes only in
part go through the services' APIs here; the others are moto's."""

import inspect
import json
import re

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

import api
import custom_resources
import database
import replacements

_dynamic = re.compile(
    r"\{\{resolve:secretsmanager:(?P<id>arn:[^}]+?|[^:}]+):SecretString(?::(?P<key>[^:}]*))?(?::[^}]*)?\}\}"
)


class Resource(CloudFormationModel):
    """A resource of a type that is handled here."""

    # moto files its models by the second part of their module.
    __module__ = "moto.emulator.models"


    def __init__(self, pid, attributes=None):
        self.pid, self.attributes = pid, attributes or {}

    @property
    def physical_resource_id(self):
        return self.pid

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "?resource"

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        if attribute_name not in self.attributes:
            raise ValueError(f"the emulator does not know the attribute {attribute_name} of {self.pid}")
        return self.attributes[attribute_name]


class Kind:
    """The three verbs of a type. Without `change` a changed resource is replaced, without `delete` it goes by itself."""

    def __init__(self, create, change=None, delete=None):
        self.create, self.change, self.delete = create, change, delete


class At:
    """Where a resource is made."""

    def __init__(self, stack, logical):
        self.stack, self.logical = stack, logical
        self.region, self.account = stack.region_name, stack.account_id

    def call(self, service, operation, properties):
        return api.call(service, self.region, operation, properties)

    def name(self, properties, key, most=255):
        given = properties.get(key)
        return given or parsing.generate_resource_name("?", self.stack.name, self.logical)[-most:].strip("-")


KINDS = {}

#: What a service refuses that moto takes, by type: called before a resource is made (without its model) or changed.
CHECKS = {}


def class_of(kind):
    """What moto asks for when it checks a template's outputs."""
    if custom_resources.is_custom(kind):
        return custom_resources.CustomResource
    return Resource if kind in KINDS else parsing.get_model_map().get(kind)


def create(stack, logical, kind, resolved):
    if custom_resources.is_custom(kind):
        return custom_resources.request(stack, logical, kind, "Create", resolved["Properties"])
    resolved = _with_secrets(resolved, stack.region_name)
    if kind in CHECKS:
        CHECKS[kind](At(stack, logical), None, resolved["Properties"])
    if kind in KINDS:
        return KINDS[kind].create(At(stack, logical), resolved["Properties"])
    model = _moto_model(kind)
    name = _moto_name(stack, logical, kind, resolved["Properties"])
    made = model.create_from_cloudformation_json(
        name, resolved, stack.account_id, stack.region_name,
        LogicalId=logical, StackId=stack.stack_id, ResourceType=kind,
    )
    if made is None:
        raise RuntimeError(f"moto made nothing for {kind}")
    return made


def update(stack, logical, kind, model, before, resolved):
    if custom_resources.is_custom(kind):
        return custom_resources.request(stack, logical, kind, "Update", resolved["Properties"], model, before)
    plain = resolved
    resolved = _with_secrets(resolved, stack.region_name)
    if before and replacements.replacing(kind, before, plain["Properties"]):
        replacements.refuse_same_name(kind, before, plain["Properties"])
        return create(stack, logical, kind, plain)
    if kind in CHECKS:
        CHECKS[kind](At(stack, logical), model, resolved["Properties"])
    if kind in KINDS:
        change = KINDS[kind].change
        if change is None:
            return create(stack, logical, kind, plain)
        return change(At(stack, logical), model, before, resolved["Properties"]) or model
    native = _moto_model(kind)
    if hasattr(native.update_from_cloudformation_json, "__isabstractmethod__"):
        return create(stack, logical, kind, plain)
    name = model.physical_resource_id
    return native.update_from_cloudformation_json(
        original_resource=model, new_resource_name=name, cloudformation_json=resolved,
        account_id=stack.account_id, region_name=stack.region_name,
    )


def delete(stack, logical, kind, model, properties):
    if custom_resources.is_custom(kind):
        custom_resources.request(stack, logical, kind, "Delete", properties, model)
        return
    if kind in KINDS:
        if KINDS[kind].delete is not None:
            KINDS[kind].delete(At(stack, logical), model, properties)
        return
    if kind in DELETIONS:
        DELETIONS[kind](At(stack, logical), model, properties)
        return
    own = getattr(type(model), "delete", None)
    if own is not None and len(inspect.signature(own).parameters) >= 3:
        model.delete(stack.account_id, stack.region_name)
        return
    native = _moto_model(kind)
    if hasattr(native.delete_from_cloudformation_json, "__isabstractmethod__"):
        raise RuntimeError(f"the emulator does not know how to delete {kind}")
    native.delete_from_cloudformation_json(
        model.physical_resource_id, {"Properties": properties, "Type": kind}, stack.account_id, stack.region_name
    )


def final_snapshot(stack, logical, kind, model):
    """What DeletionPolicy: Snapshot leaves behind."""
    at = At(stack, logical)
    name = parsing.generate_resource_name("?", f"{stack.name}-snapshot", logical).lower()
    if kind == "AWS::RDS::DBInstance":
        at.call("rds", "create_db_snapshot",
                {"DBInstanceIdentifier": model.physical_resource_id, "DBSnapshotIdentifier": name})
    elif kind == "AWS::ElastiCache::ReplicationGroup":
        at.call("elasticache", "create_snapshot",
                {"ReplicationGroupId": model.physical_resource_id, "SnapshotName": name[-40:].strip("-")})
    else:
        raise RuntimeError(f"CloudFormation takes no final snapshot of {kind}")


def _moto_model(kind):
    model = parsing.get_model_map().get(kind)
    if model is None:
        raise RuntimeError(f"neither moto nor the emulator has the type {kind}")
    return model


def _moto_name(stack, logical, kind, properties):
    key = parsing.get_name_type_map().get(kind)
    if key and key in properties:
        return properties[key]
    return parsing.generate_resource_name(kind, stack.name, logical)


def _with_secrets(value, region):
    """Puts the secrets in the place of {{resolve:secretsmanager:…}}, as CloudFormation does on the way to a service."""
    if isinstance(value, dict):
        return {key: _with_secrets(item, region) for key, item in value.items()}
    if isinstance(value, list):
        return [_with_secrets(item, region) for item in value]
    if not isinstance(value, str) or "{{resolve:" not in value:
        return value

    def fetch(match):
        text = api.call("secretsmanager", region, "get_secret_value", {"SecretId": match["id"]})["SecretString"]
        return json.loads(text)[match["key"]] if match["key"] else text

    result = _dynamic.sub(fetch, value)
    if "{{resolve:" in result:
        raise RuntimeError(f"the emulator can't resolve {value}")
    return result


def without(properties, *names):
    return {key: value for key, value in properties.items() if key not in names}


# --- Secrets Manager -------------------------------------------------------------------------------------------------


def _make_secret(at, p):
    value = p.get("SecretString")
    wanted = p.get("GenerateSecretString")
    if wanted is not None:
        password = at.call("secretsmanager", "get_random_password", without(wanted, "SecretStringTemplate"))[
            "RandomPassword"
        ]
        value = password
        if "GenerateStringKey" in wanted:
            value = json.dumps({**json.loads(wanted["SecretStringTemplate"]), wanted["GenerateStringKey"]: password})
    name = at.name(p, "Name")
    arn = at.call("secretsmanager", "create_secret", {**p, "Name": name, "SecretString": value})["ARN"]
    return Resource(arn, {"Id": arn})


def _change_secret(at, model, before, p):
    # A generated value stays: CloudFormation makes a new one only when GenerateSecretString itself changes.
    if p.get("GenerateSecretString") != (before or {}).get("GenerateSecretString"):
        raise RuntimeError("the emulator does not generate a secret anew")
    changed = {"SecretId": model.pid, **without(p, "Name", "GenerateSecretString")}
    at.call("secretsmanager", "update_secret", changed)


def _delete_secret(at, model, p):
    at.call("secretsmanager", "delete_secret", {"SecretId": model.pid, "ForceDeleteWithoutRecovery": True})


def _attach_secret(at, p):
    """Adds what RDS knows of the instance to the secret."""
    instance = at.call("rds", "describe_db_instances", {"DBInstanceIdentifier": p["TargetId"]})["DBInstances"][0]
    secret = json.loads(at.call("secretsmanager", "get_secret_value", {"SecretId": p["SecretId"]})["SecretString"])
    secret |= {
        "engine": instance["Engine"],
        "host": instance["Endpoint"]["Address"],
        "port": instance["Endpoint"]["Port"],
        "dbInstanceIdentifier": instance["DBInstanceIdentifier"],
        **({"dbname": instance["DBName"]} if instance.get("DBName") else {}),
    }
    at.call("secretsmanager", "put_secret_value", {"SecretId": p["SecretId"], "SecretString": json.dumps(secret)})
    return Resource(p["SecretId"], {"Id": p["SecretId"]})


KINDS["AWS::SecretsManager::Secret"] = Kind(_make_secret, _change_secret, _delete_secret)
KINDS["AWS::SecretsManager::SecretTargetAttachment"] = Kind(_attach_secret, lambda at, model, before, p: None)


def _resource_policy(at, p):
    at.call("secretsmanager", "put_resource_policy",
            {"SecretId": p["SecretId"], "ResourcePolicy": json.dumps(p["ResourcePolicy"])})
    return Resource(p["SecretId"])


KINDS["AWS::SecretsManager::ResourcePolicy"] = Kind(_resource_policy)

# --- RDS -------------------------------------------------------------------------------------------------------------


def _make_instance(at, p):
    name = (p.get("DBInstanceIdentifier") or at.name(p, "DBInstanceIdentifier", 63)).lower()
    settings = {**without(p, "VPCSecurityGroups", "EnablePerformanceInsights"), "DBInstanceIdentifier": name}
    settings["VpcSecurityGroupIds"] = p.get("VPCSecurityGroups", [])
    if p.get("SourceDBInstanceIdentifier"):
        # moto's replica is a copy of its source, with whatever was said of that.
        own = {"DeletionProtection": False, "BackupRetentionPeriod": 0}
        at.call("rds", "create_db_instance_read_replica", {**own, **settings})
    else:
        at.call("rds", "create_db_instance", settings)
        database.make(p.get("DBName", "postgres"), p["MasterUsername"], p["MasterUserPassword"])
    instance = at.call("rds", "describe_db_instances", {"DBInstanceIdentifier": name})["DBInstances"][0]
    return Resource(name, {
        "Endpoint.Address": instance["Endpoint"]["Address"],
        "Endpoint.Port": str(instance["Endpoint"]["Port"]),
        "DBInstanceArn": instance["DBInstanceArn"],
        "DbiResourceId": instance["DbiResourceId"],
    })


def _change_instance(at, model, before, p):
    settings = without(p, "DBInstanceIdentifier", "VPCSecurityGroups", "MasterUsername", "Engine", "DBName")
    at.call("rds", "modify_db_instance", {**settings, "DBInstanceIdentifier": model.pid, "ApplyImmediately": True})


def _upgraded_in_order(at, model, p):
    """RDS upgrades a copy before its source, and goes back to no older version."""
    if model is None or "EngineVersion" not in p:
        return
    instances = at.call("rds", "describe_db_instances", {})["DBInstances"]
    own = next(item for item in instances if item["DBInstanceIdentifier"] == model.pid)
    wanted, present = _version(p["EngineVersion"]), _version(own["EngineVersion"])
    if wanted < present:
        raise RuntimeError(f"Cannot upgrade postgres from {own['EngineVersion']} to {p['EngineVersion']}")
    copies = [item for item in instances if item.get("ReadReplicaSourceDBInstanceIdentifier") == model.pid]
    behind = [item["DBInstanceIdentifier"] for item in copies if _version(item["EngineVersion"]) < wanted]
    if wanted > present and behind:
        raise RuntimeError(f"One or more of the DB Instance's read replicas need to be upgraded: {', '.join(behind)}")


def _version(text):
    return [int(part) for part in str(text).split(".")]


CHECKS["AWS::RDS::DBInstance"] = _upgraded_in_order


def _delete_instance(at, model, p):
    at.call("rds", "delete_db_instance", {"DBInstanceIdentifier": model.pid, "SkipFinalSnapshot": True})


KINDS["AWS::RDS::DBInstance"] = Kind(_make_instance, _change_instance, _delete_instance)


def _make_parameter_group(at, p):
    name = at.name(p, "DBParameterGroupName").lower()
    at.call("rds", "create_db_parameter_group",
            {"DBParameterGroupName": name, "DBParameterGroupFamily": p["Family"], "Description": p["Description"]})
    _set_parameters(at, Resource(name), None, p)
    return Resource(name, {"DBParameterGroupName": name})


def _set_parameters(at, model, before, p):
    values = [
        {"ParameterName": key, "ParameterValue": str(value), "ApplyMethod": "pending-reboot"}
        for key, value in p.get("Parameters", {}).items()
    ]
    if values:
        at.call("rds", "modify_db_parameter_group", {"DBParameterGroupName": model.pid, "Parameters": values})


KINDS["AWS::RDS::DBParameterGroup"] = Kind(
    _make_parameter_group, _set_parameters,
    lambda at, model, p: at.call("rds", "delete_db_parameter_group", {"DBParameterGroupName": model.pid}),
)


def _make_db_subnets(at, p):
    name = at.name(p, "DBSubnetGroupName").lower()
    at.call("rds", "create_db_subnet_group", {**p, "DBSubnetGroupName": name})
    return Resource(name)


KINDS["AWS::RDS::DBSubnetGroup"] = Kind(
    _make_db_subnets, None,
    lambda at, model, p: at.call("rds", "delete_db_subnet_group", {"DBSubnetGroupName": model.pid}),
)

# --- ElastiCache -----------------------------------------------------------------------------------------------------


def _make_group(at, p):
    from moto.elasticache.models import elasticache_backends

    name = (p.get("ReplicationGroupId") or at.name(p, "ReplicationGroupId", 40)).lower()
    at.call("elasticache", "create_replication_group", {**p, "ReplicationGroupId": name})
    group = at.call("elasticache", "describe_replication_groups", {"ReplicationGroupId": name})["ReplicationGroups"][0]
    backend = elasticache_backends[at.account][at.region]
    # moto names the members of a group without having them; a snapshot is taken of a member.
    for member in group.get("MemberClusters", []):
        if member not in backend.cache_clusters:
            at.call("elasticache", "create_cache_cluster", {
                "CacheClusterId": member, "Engine": "redis", "NumCacheNodes": 1,
                "CacheNodeType": p.get("CacheNodeType", "cache.t4g.micro"), "EngineVersion": p.get("EngineVersion"),
            })
            backend.cache_clusters[member].replication_group_id = name
    nodes = group["NodeGroups"][0]
    return Resource(name, {
        "PrimaryEndPoint.Address": nodes["PrimaryEndpoint"]["Address"],
        "PrimaryEndPoint.Port": str(nodes["PrimaryEndpoint"]["Port"]),
        "ReaderEndPoint.Address": nodes.get("ReaderEndpoint", nodes["PrimaryEndpoint"])["Address"],
        "ReaderEndPoint.Port": str(nodes["PrimaryEndpoint"]["Port"]),
    })


def _change_group(at, model, before, p):
    """Another class, and more or fewer copies, in place and under the same addresses, as ElastiCache does it."""
    from moto.elasticache.models import elasticache_backends

    fixed = ("ReplicationGroupId", "Engine", "EngineVersion", "CacheSubnetGroupName", "KmsKeyId", "Port")
    changed = [name for name in fixed if before and p.get(name) != before.get(name)]
    if changed:
        raise RuntimeError(f"the emulator does not change {', '.join(changed)} of a replication group")
    backend = elasticache_backends[at.account][at.region]
    group = backend.replication_groups[model.pid]
    group.cache_node_type = p["CacheNodeType"]
    group.snapshot_retention_limit = int(p.get("SnapshotRetentionLimit", 0))
    for key, name in (("AutomaticFailoverEnabled", "automatic_failover"), ("MultiAZEnabled", "multi_az")):
        setattr(group, name, "enabled" if str(p.get(key)).lower() == "true" else "disabled")
    wanted = [f"{model.pid}-{index + 1:0>3}" for index in range(int(p["NumCacheClusters"]))]
    members = group.node_groups[0]["node_group_members"]
    for name in wanted[len(members):]:
        members.append({**members[-1], "cache_cluster_id": name, "current_role": "replica"})
        at.call("elasticache", "create_cache_cluster", {
            "CacheClusterId": name, "Engine": "redis", "NumCacheNodes": 1, "CacheNodeType": p["CacheNodeType"],
        })
        backend.cache_clusters[name].replication_group_id = model.pid
    for gone in group.member_clusters[len(wanted):]:
        backend.cache_clusters.pop(gone, None)
    del members[len(wanted):]
    group.member_clusters = wanted


def _delete_group(at, model, p):
    from moto.elasticache.models import elasticache_backends

    backend = elasticache_backends[at.account][at.region]
    at.call("elasticache", "delete_replication_group", {"ReplicationGroupId": model.pid})
    for name, cluster in list(backend.cache_clusters.items()):
        if cluster.replication_group_id == model.pid:
            del backend.cache_clusters[name]
    backend.replication_groups.pop(model.pid, None)


def _make_cache_subnets(at, p):
    name = at.name(p, "CacheSubnetGroupName").lower()
    at.call("elasticache", "create_cache_subnet_group",
            {"CacheSubnetGroupName": name, "CacheSubnetGroupDescription": p["Description"], "SubnetIds": p["SubnetIds"]})
    return Resource(name)


def _delete_cache_subnets(at, model, p):
    from moto.elasticache.models import elasticache_backends

    elasticache_backends[at.account][at.region].cache_subnet_groups.pop(model.pid, None)


KINDS["AWS::ElastiCache::ReplicationGroup"] = Kind(_make_group, _change_group, _delete_group)
KINDS["AWS::ElastiCache::SubnetGroup"] = Kind(_make_cache_subnets, lambda at, m, b, p: None, _delete_cache_subnets)

# --- Application Auto Scaling ----------------------------------------------------------------------------------------


def _target_of(p):
    return {key: p[key] for key in ("ServiceNamespace", "ScalableDimension", "ResourceId")}


def _register_target(at, p):
    role = p.get("RoleARN", f"arn:aws:iam::{at.account}:role/aws-service-role/ecs.application-autoscaling.amazonaws.com/x")
    at.call("application-autoscaling", "register_scalable_target", {**without(p, "ScheduledActions"), "RoleARN": role})
    for action in p.get("ScheduledActions", []):
        at.call("application-autoscaling", "put_scheduled_action", {**_target_of(p), **action})
    key = "|".join(p[k] for k in ("ResourceId", "ScalableDimension", "ServiceNamespace"))
    return Resource(key, {"Id": key})


def _change_target(at, model, before, p):
    _register_target(at, p)


def _make_policy(at, p):
    if "ScalingTargetId" in p:
        resource, dimension, namespace = p["ScalingTargetId"].split("|")
        p = {**without(p, "ScalingTargetId"), "ResourceId": resource, "ScalableDimension": dimension,
             "ServiceNamespace": namespace}
    arn = at.call("application-autoscaling", "put_scaling_policy", p)["PolicyARN"]
    return Resource(arn, {"Arn": arn})


def _delete_policy(at, model, p):
    target = p
    if "ScalingTargetId" in p:
        resource, dimension, namespace = p["ScalingTargetId"].split("|")
        target = {"ResourceId": resource, "ScalableDimension": dimension, "ServiceNamespace": namespace}
    at.call("application-autoscaling", "delete_scaling_policy", {**target, "PolicyName": p["PolicyName"]})


KINDS["AWS::ApplicationAutoScaling::ScalableTarget"] = Kind(
    _register_target, _change_target,
    lambda at, model, p: at.call("application-autoscaling", "deregister_scalable_target", _target_of(p)),
)
KINDS["AWS::ApplicationAutoScaling::ScalingPolicy"] = Kind(
    _make_policy, lambda at, model, before, p: _make_policy(at, p) and None, _delete_policy
)

# --- ECS -------------------------------------------------------------------------------------------------------------


def _make_service(at, p):
    name = at.name(p, "ServiceName")
    cluster = p["Cluster"].split("/")[-1]
    # Without a number CloudFormation starts one task; what there is later is the scaling's affair.
    made = at.call("ecs", "create_service",
                   {"DesiredCount": 1, **without(p, "NetworkConfiguration"), "ServiceName": name, "Cluster": cluster})
    return Resource(made["service"]["serviceArn"], {"Name": name, "ServiceArn": made["service"]["serviceArn"]})


def _change_service(at, model, before, p):
    # A template without DesiredCount leaves the number of running tasks as it is.
    changed = {"Cluster": p["Cluster"].split("/")[-1], "Service": model.attributes["Name"]}
    for key in ("TaskDefinition", "DesiredCount"):
        if key in p:
            changed[key] = p[key]
    at.call("ecs", "update_service", changed)


def _delete_service(at, model, p):
    at.call("ecs", "delete_service",
            {"Cluster": p["Cluster"].split("/")[-1], "Service": model.attributes["Name"], "Force": True})


KINDS["AWS::ECS::Service"] = Kind(_make_service, _change_service, _delete_service)


def _make_task_definition(at, p):
    made = at.call("ecs", "register_task_definition", p)["taskDefinition"]["taskDefinitionArn"]
    return Resource(made, {"TaskDefinitionArn": made})


KINDS["AWS::ECS::TaskDefinition"] = Kind(
    _make_task_definition, None,
    lambda at, model, p: at.call("ecs", "deregister_task_definition", {"TaskDefinition": model.pid}),
)

# --- WAF, alarms, logs, notifications, certificates, schedules -------------------------------------------------------


def _make_acl(at, p):
    name = at.name(p, "Name", 128)
    made = at.call("wafv2", "create_web_acl", {**p, "Name": name})["Summary"]
    return Resource(f"{name}|{made['Id']}|{p['Scope']}", {"Arn": made["ARN"], "Id": made["Id"]})


def _lock_token(at, model):
    name, id_, scope = model.pid.split("|")
    target = {"Name": name, "Id": id_, "Scope": scope}
    return {**target, "LockToken": at.call("wafv2", "get_web_acl", target)["LockToken"]}


def _make_ip_set(at, p):
    name = at.name(p, "Name", 128)
    made = at.call("wafv2", "create_ip_set", {**p, "Name": name})["Summary"]
    return Resource(f"{name}|{made['Id']}|{p['Scope']}", {"Arn": made["ARN"], "Id": made["Id"]})


def _ip_token(at, model):
    name, id_, scope = model.pid.split("|")
    target = {"Name": name, "Id": id_, "Scope": scope}
    return {**target, "LockToken": at.call("wafv2", "get_ip_set", target)["LockToken"]}


KINDS["AWS::WAFv2::WebACL"] = Kind(
    _make_acl, lambda at, model, before, p: at.call("wafv2", "update_web_acl", {**p, **_lock_token(at, model)}) and None,
    lambda at, model, p: at.call("wafv2", "delete_web_acl", _lock_token(at, model)),
)
KINDS["AWS::WAFv2::IPSet"] = Kind(
    _make_ip_set, lambda at, model, before, p: at.call("wafv2", "update_ip_set", {**p, **_ip_token(at, model)}) and None,
    lambda at, model, p: at.call("wafv2", "delete_ip_set", _ip_token(at, model)),
)


def _associate(at, p):
    at.call("wafv2", "associate_web_acl", p)
    return Resource(f"{p['WebACLArn']}|{p['ResourceArn']}")


KINDS["AWS::WAFv2::WebACLAssociation"] = Kind(
    _associate, None, lambda at, model, p: at.call("wafv2", "disassociate_web_acl", p)
)


def _log_acl(at, p):
    at.call("wafv2", "put_logging_configuration", {"LoggingConfiguration": p})
    return Resource(p["ResourceArn"])


KINDS["AWS::WAFv2::LoggingConfiguration"] = Kind(_log_acl, lambda at, model, before, p: _log_acl(at, p) and None)


def _make_alarm(at, p):
    name = at.name(p, "AlarmName")
    at.call("cloudwatch", "put_metric_alarm", {**p, "AlarmName": name})
    return Resource(name, {"Arn": f"arn:aws:cloudwatch:{at.region}:{at.account}:alarm:{name}"})


KINDS["AWS::CloudWatch::Alarm"] = Kind(
    _make_alarm,
    lambda at, model, before, p: at.call("cloudwatch", "put_metric_alarm", {**p, "AlarmName": model.pid}) and None,
    lambda at, model, p: at.call("cloudwatch", "delete_alarms", {"AlarmNames": [model.pid]}),
)


def _make_filter(at, p):
    name = at.name(p, "FilterName")
    at.call("logs", "put_metric_filter", {**p, "FilterName": name})
    return Resource(name)


KINDS["AWS::Logs::MetricFilter"] = Kind(
    _make_filter,
    lambda at, model, before, p: at.call("logs", "put_metric_filter", {**p, "FilterName": model.pid}) and None,
    lambda at, model, p: at.call("logs", "delete_metric_filter", {**p, "FilterName": model.pid}),
)


def _subscribe(at, p):
    return Resource(at.call("sns", "subscribe", p)["SubscriptionArn"])


KINDS["AWS::SNS::Subscription"] = Kind(
    _subscribe, None, lambda at, model, p: at.call("sns", "unsubscribe", {"SubscriptionArn": model.pid})
)


def _topic_policy(at, p):
    for topic in p["Topics"]:
        at.call("sns", "set_topic_attributes", {
            "TopicArn": topic, "AttributeName": "Policy", "AttributeValue": json.dumps(p["PolicyDocument"]),
        })
    return Resource(at.logical)


KINDS["AWS::SNS::TopicPolicy"] = Kind(_topic_policy, lambda at, model, before, p: _topic_policy(at, p) and None)


def _make_certificate(at, p):
    arn = at.call("acm", "request_certificate", without(p, "DomainValidationOptions"))["CertificateArn"]
    return Resource(arn)


KINDS["AWS::CertificateManager::Certificate"] = Kind(
    _make_certificate, None, lambda at, model, p: at.call("acm", "delete_certificate", {"CertificateArn": model.pid})
)


def _make_bucket(at, p):
    name = p.get("BucketName") or parsing.generate_resource_name("AWS::S3::Bucket", at.stack.name, at.logical)
    at.call("s3", "create_bucket", {"Bucket": name})
    made = Resource(name, {
        "Arn": f"arn:aws:s3:::{name}",
        "DomainName": f"{name}.s3.amazonaws.com",
        "RegionalDomainName": f"{name}.s3.{at.region}.amazonaws.com",
    })
    _set_bucket(at, made, None, p)
    return made


def _set_bucket(at, model, before, p):
    """What moto's own bucket leaves out: everything but the name."""
    settings = (
        ("BucketEncryption", "put_bucket_encryption", "ServerSideEncryptionConfiguration", _encryption),
        ("PublicAccessBlockConfiguration", "put_public_access_block", "PublicAccessBlockConfiguration", dict),
        ("OwnershipControls", "put_bucket_ownership_controls", "OwnershipControls", dict),
        ("VersioningConfiguration", "put_bucket_versioning", "VersioningConfiguration", dict),
        ("LifecycleConfiguration", "put_bucket_lifecycle_configuration", "LifecycleConfiguration", _lifecycle),
        ("Tags", "put_bucket_tagging", "Tagging", lambda tags: {"TagSet": tags}),
    )
    for name, operation, parameter, spell in settings:
        if name in p:
            at.call("s3", operation, {"Bucket": model.pid, parameter: spell(p[name])})


def _encryption(p):
    rules = [
        {
            "ApplyServerSideEncryptionByDefault": rule["ServerSideEncryptionByDefault"],
            "BucketKeyEnabled": rule.get("BucketKeyEnabled", False),
        }
        for rule in p["ServerSideEncryptionConfiguration"]
    ]
    return {"Rules": rules}


def _lifecycle(p):
    rules = []
    for rule in p["Rules"]:
        made = {**without(rule, "Id", "Transitions", "ExpirationInDays", "Prefix"), "ID": rule.get("Id", "rule")}
        made["Filter"] = {"Prefix": rule.get("Prefix", "")}
        made["Transitions"] = [
            {"Days": transition["TransitionInDays"], "StorageClass": transition["StorageClass"]}
            for transition in rule.get("Transitions", [])
        ]
        if "ExpirationInDays" in rule:
            made["Expiration"] = {"Days": rule["ExpirationInDays"]}
        rules.append(made)
    return {"Rules": rules}


KINDS["AWS::S3::Bucket"] = Kind(
    _make_bucket, _set_bucket, lambda at, model, p: at.call("s3", "delete_bucket", {"Bucket": model.pid})
)


def _bucket_policy(at, p):
    at.call("s3", "put_bucket_policy", {"Bucket": p["Bucket"], "Policy": json.dumps(p["PolicyDocument"])})
    return Resource(p["Bucket"])


KINDS["AWS::S3::BucketPolicy"] = Kind(
    _bucket_policy, lambda at, model, before, p: _bucket_policy(at, p) and None,
    lambda at, model, p: at.call("s3", "delete_bucket_policy", {"Bucket": model.pid}),
)


def _schedule(p):
    """A schedule's properties as its API spells them: the network of a task begins with a small letter there."""
    ecs = p["Target"].get("EcsParameters")
    if ecs is None:
        return p
    network = {"awsvpcConfiguration": ecs["NetworkConfiguration"]["AwsvpcConfiguration"]}
    ecs = {**ecs, "TaskCount": int(ecs["TaskCount"]), "NetworkConfiguration": network}
    return {**p, "Target": {**p["Target"], "EcsParameters": ecs}}


def _make_schedule(at, p):
    name = at.name(p, "Name", 64)
    at.call("scheduler", "create_schedule", {**_schedule(p), "Name": name})
    group = p.get("GroupName", "default")
    return Resource(name, {"Arn": f"arn:aws:scheduler:{at.region}:{at.account}:schedule/{group}/{name}"})


KINDS["AWS::Scheduler::Schedule"] = Kind(
    _make_schedule,
    lambda at, model, before, p: at.call("scheduler", "update_schedule", {**_schedule(p), "Name": model.pid}) and None,
    lambda at, model, p: at.call("scheduler", "delete_schedule", {"GroupName": "default", **p, "Name": model.pid}),
)


def _make_schedule_group(at, p):
    name = at.name(p, "Name", 64)
    arn = at.call("scheduler", "create_schedule_group", {**p, "Name": name})["ScheduleGroupArn"]
    return Resource(name, {"Arn": arn})


KINDS["AWS::Scheduler::ScheduleGroup"] = Kind(
    _make_schedule_group, lambda at, model, before, p: None,
    lambda at, model, p: at.call("scheduler", "delete_schedule_group", {"Name": model.pid}),
)

# --- EventBridge: moto deletes a rule to change it, and refuses that while it has targets -----------------------------


def _put_rule(at, name, p):
    pattern = {"EventPattern": json.dumps(p["EventPattern"])} if "EventPattern" in p else {}
    plain = {key: p[key] for key in ("Description", "ScheduleExpression", "State") if key in p}
    made = at.call("events", "put_rule", {**plain, **pattern, "Name": name})
    at.call("events", "put_targets", {"Rule": name, "Targets": p["Targets"]})
    return made["RuleArn"]


def _make_rule(at, p):
    name = at.name(p, "Name", 64)
    return Resource(name, {"Arn": _put_rule(at, name, p)})


def _delete_rule(at, model, p):
    at.call("events", "remove_targets", {"Rule": model.pid, "Ids": [target["Id"] for target in p["Targets"]]})
    at.call("events", "delete_rule", {"Name": model.pid})


KINDS["AWS::Events::Rule"] = Kind(
    _make_rule, lambda at, model, before, p: _put_rule(at, model.pid, p) and None, _delete_rule
)

# --- EC2 -------------------------------------------------------------------------------------------------------------


def _permission(p):
    made = {"IpProtocol": p["IpProtocol"]}
    if "FromPort" in p:
        made |= {"FromPort": int(p["FromPort"]), "ToPort": int(p["ToPort"])}
    if "DestinationSecurityGroupId" in p:
        made["UserIdGroupPairs"] = [{"GroupId": p["DestinationSecurityGroupId"]}]
    if "DestinationPrefixListId" in p:
        made["PrefixListIds"] = [{"PrefixListId": p["DestinationPrefixListId"]}]
    if "CidrIp" in p:
        made["IpRanges"] = [{"CidrIp": p["CidrIp"]}]
    return {"GroupId": p["GroupId"], "IpPermissions": [made]}


def _make_egress(at, p):
    at.call("ec2", "authorize_security_group_egress", _permission(p))
    return Resource(f"{at.logical}-rule")


KINDS["AWS::EC2::SecurityGroupEgress"] = Kind(
    _make_egress, None, lambda at, model, p: at.call("ec2", "revoke_security_group_egress", _permission(p))
)


def _associate_routes(at, p):
    return Resource(at.call("ec2", "associate_route_table", p)["AssociationId"])


KINDS["AWS::EC2::SubnetRouteTableAssociation"] = Kind(
    _associate_routes, None,
    lambda at, model, p: at.call("ec2", "disassociate_route_table", {"AssociationId": model.pid}),
)

# --- Types that change nothing that could be read back -----------------------------------------------------------------
# They are accepted so that a stack which has them deploys, and nothing about them may be asserted through the emulator.


def _accept(at, p):
    return Resource(at.name(p, "Name").lower(), {"Id": at.logical, "Arn": f"arn:aws:emulator:::{at.logical}"})


NOT_EMULATED = (
    "AWS::ElastiCache::ParameterGroup",
    "AWS::Lambda::EventInvokeConfig",
    "AWS::SecretsManager::RotationSchedule",
)
for _type in NOT_EMULATED:
    KINDS[_type] = Kind(_accept, lambda at, model, before, p: None)

# --- Deletions that moto's models lack -------------------------------------------------------------------------------


def _ec2(operation, parameter, as_list=False):
    """A deletion by the resource's own id."""

    def run(at, model, p):
        id_ = model.physical_resource_id
        at.call("ec2", operation, {parameter: [id_] if as_list else id_})

    return run


def _ingress(p):
    made = {"IpProtocol": p["IpProtocol"]}
    if "FromPort" in p:
        made |= {"FromPort": int(p["FromPort"]), "ToPort": int(p["ToPort"])}
    if "SourceSecurityGroupId" in p:
        made["UserIdGroupPairs"] = [{"GroupId": p["SourceSecurityGroupId"]}]
    if "CidrIp" in p:
        made["IpRanges"] = [{"CidrIp": p["CidrIp"]}]
    return {"GroupId": p["GroupId"], "IpPermissions": [made]}


def _v2(operation, parameter):
    return lambda at, model, p: at.call("elbv2", operation, {parameter: model.physical_resource_id})


DELETIONS = {
    "AWS::EC2::EIP": lambda at, model, p: at.call("ec2", "release_address", {"AllocationId": model.allocation_id}),
    "AWS::EC2::FlowLog": _ec2("delete_flow_logs", "FlowLogIds", True),
    "AWS::EC2::InternetGateway": _ec2("delete_internet_gateway", "InternetGatewayId"),
    "AWS::EC2::NatGateway": _ec2("delete_nat_gateway", "NatGatewayId"),
    "AWS::EC2::Route": lambda at, model, p: at.call("ec2", "delete_route", p),
    "AWS::EC2::RouteTable": _ec2("delete_route_table", "RouteTableId"),
    "AWS::EC2::SecurityGroupIngress": lambda at, model, p: at.call(
        "ec2", "revoke_security_group_ingress", _ingress(p)
    ),
    "AWS::EC2::VPCEndpoint": _ec2("delete_vpc_endpoints", "VpcEndpointIds", True),
    "AWS::EC2::VPCGatewayAttachment": lambda at, model, p: at.call("ec2", "detach_internet_gateway", p),
    "AWS::ECS::Cluster": lambda at, model, p: at.call("ecs", "delete_cluster", {"Cluster": model.physical_resource_id}),
    "AWS::ElasticLoadBalancingV2::Listener": _v2("delete_listener", "ListenerArn"),
    "AWS::ElasticLoadBalancingV2::TargetGroup": _v2("delete_target_group", "TargetGroupArn"),
    # It goes with its function.
    "AWS::Lambda::Permission": lambda at, model, p: None,
}
