"""Change sets: what an update would do, told before it is done. Conditions of resources are not looked at."""

from moto.cloudformation import models as cf
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

import replacements
import stack_engine


def changes(stack, template):
    """What leads from what is deployed to the template, as DescribeChangeSet lists it."""
    deployed, wanted = stack.__dict__.get("deployed", {}), template["Resources"]
    found, replaced = [], set()
    # Each after what it refers to: whether that is replaced is known by then.
    for logical in stack_engine.in_order(wanted):
        json_, item = wanted[logical], deployed.get(logical)
        change = _added(json_) if item is None else _modified(item, json_, replaced)
        if change is None:
            continue
        if change.get("Replacement") == "True":
            replaced.add(logical)
        found.append(_named(logical, item, change))
    for logical in sorted(set(deployed) - set(wanted)):
        item = deployed[logical]
        policy = item.json.get("DeletionPolicy", "Delete").replace("RetainExceptOnCreate", "Retain")
        found.append(_named(logical, item, {"Action": "Remove", "ResourceType": item.kind, "PolicyAction": policy}))
    return found


def _named(logical, item, change):
    physical = {} if item is None else {"PhysicalResourceId": item.model.physical_resource_id}
    return {"Type": "Resource", "ResourceChange": {"LogicalResourceId": logical, **physical, **change}}


def _added(json_):
    return {"Action": "Add", "ResourceType": json_["Type"]}


def _modified(item, json_, replaced):
    kind, before, after = json_["Type"], item.json.get("Properties", {}), json_.get("Properties", {})
    changed = sorted(name for name in {*before, *after} if before.get(name) != after.get(name))
    followers = sorted(name for name in after if stack_engine.references(after[name]) & replaced and name not in changed)
    if not changed and not followers:
        return None
    fixed = set(replacements.replacing(kind, before, after))
    may_fix = {path[0] for path in replacements.create_only(kind)}
    details = [_detail(name, "Static", "Always" if name in fixed else "Never") for name in changed]
    details += [_detail(name, "Dynamic", "Conditionally" if name in may_fix else "Never") for name in followers]
    replacement = "True" if fixed else "Conditional" if may_fix & set(followers) else "False"
    change = {"Action": "Modify", "ResourceType": kind, "Replacement": replacement, "Scope": ["Properties"], "Details": details}
    if fixed:
        change["PolicyAction"] = "ReplaceAnd" + json_.get("UpdateReplacePolicy", "Delete")
    return change


def _detail(name, evaluation, recreation):
    target = {"Attribute": "Properties", "Name": name, "RequiresRecreation": recreation}
    source = "DirectModification" if evaluation == "Static" else "ResourceReference"
    return {"Target": target, "Evaluation": evaluation, "ChangeSource": source}


def install():
    cf.ChangeSet.diff = lambda self: changes(self.stack, self.template_dict)

    def describe_change_set(self):
        found = self.cloudformation_backend.describe_change_set(change_set_name=self._get_param("ChangeSetName"))
        return ActionResult({
            "ChangeSetName": found.change_set_name,
            "ChangeSetId": found.change_set_id,
            "StackName": found.stack_name,
            "StackId": found.stack_id,
            "Status": found.status,
            "StatusReason": found.status_reason,
            "ExecutionStatus": found.execution_status,
            "Changes": found.changes,
            "Parameters": found.parameters or {},
            "Tags": found.tags or {},
        })

    CloudFormationResponse.describe_change_set = describe_change_set
    # They are as the answer has them already.
    CloudFormationResponse.RESPONSE_KEY_PATH_TO_TRANSFORMER["DescribeChangeSetOutput.Changes"] = lambda changes: changes
