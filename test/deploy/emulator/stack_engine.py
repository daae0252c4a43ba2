"""CloudFormation's order of work, which moto lacks: resources are made and changed after what they refer to, custom resources
are waited for, the first failure rolls everything back to the former template, and removal runs backwards. A type that is
not known fails the stack: nothing is passed over in silence.

CloudFormation works side by side: of two resources that do not lead to each other either may come first. Here one comes
after the other, in an order that is drawn anew for each change of a stack, from EMULATOR_ORDER: a template that holds in
one order by luck meets another. The same EMULATOR_ORDER draws the same orders."""

import copy
import json
import os
import random
import re
import threading
import traceback

from moto.cloudformation import models as cf
from moto.cloudformation import parsing
from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult

import custom_resources
import resource_types

_lock = threading.RLock()
_reference = re.compile(r"\$\{([A-Za-z0-9]+)(?:\.[^}]*)?\}")


class ResourceFailed(Exception):
    def __init__(self, logical, reason):
        super().__init__(reason)
        self.logical, self.reason = logical, reason


class Deployed:
    """A resource that exists: what it was made from, and what it became."""

    def __init__(self, kind, json_, properties, model, order):
        self.kind, self.json, self.properties, self.model, self.order = kind, json_, properties, model, order
        self.replaced = []


def references(value):
    """The logical names that a piece of template refers to."""
    if isinstance(value, list):
        return {name for item in value for name in references(item)}
    if not isinstance(value, dict):
        return set()
    found = set()
    for key, item in value.items():
        if key == "Ref" and isinstance(item, str):
            found.add(item)
        elif key == "Fn::GetAtt":
            found.add(item.split(".")[0] if isinstance(item, str) else item[0])
        elif key == "Fn::Sub":
            text, extra = (item, {}) if isinstance(item, str) else (item[0], item[1])
            found |= set(_reference.findall(text)) | references(extra)
        else:
            found |= references(item)
    return found


def in_order(resources, draw=None):
    """Logical names, each after everything that it refers to or depends on; whatever else may come first is drawn."""
    waiting, order = {}, []
    for name, json_ in resources.items():
        depends = json_.get("DependsOn", [])
        needed = set([depends] if isinstance(depends, str) else depends) | references(json_.get("Properties", {}))
        waiting[name] = needed & set(resources)
    while waiting:
        ready = sorted(name for name, needed in waiting.items() if not needed)
        if not ready:
            names = sorted(waiting)
            raise ResourceFailed(names[0], f"Circular dependency between resources: [{', '.join(names)}]")
        name = draw.choice(ready) if draw else ready[0]
        order.append(name)
        del waiting[name]
        for needed in waiting.values():
            needed.discard(name)
    return order


def _draw(stack):
    """What the order of a stack's next change is drawn with."""
    stack.changes_begun = stack.__dict__.get("changes_begun", 0) + 1
    return random.Random(f"{os.environ.get('EMULATOR_ORDER', '1')} {stack.name} {stack.changes_begun}")


def _event(stack, logical, kind, model, status, reason=None):
    stack.events.append(
        cf.Event(stack.stack_id, stack.name, logical, physical_id(model) or "", kind, status, reason, None)
    )


def physical_id(model):
    return getattr(model, "physical_resource_id", None)


def _load(stack, template, parameters):
    """Points moto's resource map at a template, whose references it then resolves."""
    rm = stack.resource_map
    rm._template, rm._resource_json_map, rm.input_parameters = template, template["Resources"], parameters
    rm.load_mapping()
    rm.transform_mapping()
    rm.load_parameters()
    rm.load_conditions()
    return rm


def _resolved(rm, logical, json_):
    """The properties with every reference resolved. Dynamic references stay as they are, as in CloudFormation."""
    without = {key: value for key, value in json_.items() if key not in ("DependsOn", "Condition")}
    return parsing.clean_json(copy.deepcopy({"Properties": {}, **without}), rm)


def apply(stack, template, parameters):
    """Brings the stack to a template: makes and changes in order, then removes what is no longer named."""
    deployed = stack.__dict__.setdefault("deployed", {})
    resources = template["Resources"]
    rm = _load(stack, template, parameters)
    wanted = [
        name
        for name in in_order(resources, _draw(stack))
        if "Condition" not in resources[name] or rm.lazy_condition_map[resources[name]["Condition"]]
    ]
    for position, logical in enumerate(wanted):
        _bring(stack, rm, deployed, logical, resources[logical], position)
    for logical in sorted(set(deployed) - set(wanted), key=lambda name: -deployed[name].order):
        remove(stack, logical)
    for logical in wanted:
        item = deployed[logical]
        for former in item.replaced:
            resource_types.delete(stack, logical, item.kind, former[0], former[1])
        item.replaced = []


def _bring(stack, rm, deployed, logical, json_, position):
    kind = json_["Type"]
    item = deployed.get(logical)
    try:
        resolved = _resolved(rm, logical, json_)
        properties = resolved["Properties"]
        if item is None:
            _event(stack, logical, kind, None, "CREATE_IN_PROGRESS")
            model = resource_types.create(stack, logical, kind, resolved)
            deployed[logical] = item = Deployed(kind, json_, properties, model, position)
            verb = "CREATE"
        elif item.replaced and item.replaced[-1][1] == properties:
            # Going back: what was replaced is there still and takes its place again, and the other one goes at the end.
            former, before = item.replaced.pop()
            item.replaced.append((item.model, item.properties or {}))
            item.model, item.properties = former, before
            verb = "UPDATE"
        elif item.properties != properties:
            _event(stack, logical, kind, item.model, "UPDATE_IN_PROGRESS")
            former, before = item.model, item.properties
            # Whatever happens now, the resource is no longer known to be as it was.
            item.properties = None
            item.model = resource_types.update(stack, logical, kind, former, before or {}, resolved)
            if item.model is not former:
                item.replaced.append((former, before))
            item.properties = properties
            verb = "UPDATE"
        else:
            verb = None
    except Exception as error:
        traceback.print_exc()
        verb = "CREATE" if item is None else "UPDATE"
        reason = str(error)
        _event(stack, logical, kind, item.model if item else None, f"{verb}_FAILED", reason)
        raise ResourceFailed(logical, reason)
    item.json, item.order = json_, position
    item.model.cf_resource_type, item.model.logical_resource_id = kind, logical
    rm._parsed_resources[logical] = item.model
    if verb:
        _event(stack, logical, kind, item.model, f"{verb}_COMPLETE")


def remove(stack, logical, on_rollback=False):
    item = stack.deployed[logical]
    policy = item.json.get("DeletionPolicy", "Delete")
    # A resource whose creation is rolled back is deleted unless it says Retain.
    if policy == "Retain" or (policy == "RetainExceptOnCreate" and not on_rollback):
        _event(stack, logical, item.kind, item.model, "DELETE_SKIPPED")
    else:
        _event(stack, logical, item.kind, item.model, "DELETE_IN_PROGRESS")
        try:
            if policy == "Snapshot":
                resource_types.final_snapshot(stack, logical, item.kind, item.model)
            resource_types.delete(stack, logical, item.kind, item.model, item.properties or {})
        except Exception as error:
            traceback.print_exc()
            _event(stack, logical, item.kind, item.model, "DELETE_FAILED", str(error))
            raise ResourceFailed(logical, str(error))
        _event(stack, logical, item.kind, item.model, "DELETE_COMPLETE")
    del stack.deployed[logical]
    stack.resource_map._parsed_resources.pop(logical, None)


def _status(stack, status, reason=None):
    stack.status = status
    stack._add_stack_event(status, resource_status_reason=reason)


def deploy(stack, text, parameters, creating):
    """Creates or updates a stack, and rolls back where that fails."""
    with _lock:
        verb = "CREATE" if creating else "UPDATE"
        former = None if creating else (stack.template, copy.deepcopy(stack.template_dict), dict(stack.parameters))
        try:
            stack.template = text
            stack._parse_template()
            apply(stack, stack.template_dict, parameters)
            stack.parameters = parameters
            stack.description = stack.template_dict.get("Description")
            stack.output_map = stack._create_output_map()
            list(stack.output_map.values())
            _status(stack, f"{verb}_COMPLETE")
        except Exception as error:
            if not isinstance(error, ResourceFailed):
                traceback.print_exc()
            _roll_back(stack, verb, former, error)


def _roll_back(stack, verb, former, error):
    start, end = ("ROLLBACK", "ROLLBACK") if verb == "CREATE" else ("UPDATE_ROLLBACK", "UPDATE_ROLLBACK")
    logical = getattr(error, "logical", None)
    reason = f"The following resource(s) failed to {verb.lower()}: [{logical}]." if logical else str(error)
    _status(stack, f"{start}_IN_PROGRESS", reason)
    try:
        if verb == "CREATE":
            deployed = stack.__dict__.get("deployed", {})
            for name in sorted(deployed, key=lambda name: -deployed[name].order):
                remove(stack, name, on_rollback=True)
        else:
            stack.template, stack.template_dict, stack.parameters = former
            apply(stack, stack.template_dict, stack.parameters)
            stack.output_map = stack._create_output_map()
        _status(stack, f"{end}_COMPLETE")
    except Exception as second:
        if not isinstance(second, ResourceFailed):
            traceback.print_exc()
        _status(stack, f"{end}_FAILED", str(second))


def destroy(backend, stack):
    """Removes a stack, the last made first."""
    with _lock:
        exported = [export.name for export in stack.exports]
        try:
            deployed = stack.__dict__.get("deployed", {})
            for name in sorted(deployed, key=lambda name: -deployed[name].order):
                remove(stack, name)
        except ResourceFailed as error:
            _status(stack, "DELETE_FAILED", f"The following resource(s) failed to delete: [{error.logical}].")
            return
        for name in exported:
            backend.exports.pop(name, None)
        stack.output_map = parsing.OutputMap(stack.resource_map, {}, stack.stack_id)
        backend.stacks.pop(stack.stack_id, None)
        backend.deleted_stacks[stack.stack_id] = stack
        _status(stack, "DELETE_COMPLETE")


def _background(work, *args):
    threading.Thread(target=work, args=args, daemon=True).start()


def _export_all(backend, stack):
    for export in stack.exports:
        backend.exports[export.name] = export


def _made_already(resource_map, name):
    """moto makes a resource when it is first referred to; here the order of work has made it before."""
    if name not in resource_map._parsed_resources:
        raise RuntimeError(f"Unresolved resource dependencies [{name}] in the template")
    return resource_map._parsed_resources[name]


def set_statuses(statuses):
    """Lets stacks stand as if an update of them had ended so, by their names."""
    for backend in (regions for accounts in cf.cloudformation_backends.values() for regions in accounts.values()):
        for stack in backend.stacks.values():
            stack.status = statuses.get(stack.name, stack.status)


def install():
    """Puts this engine in the place of moto's."""
    parsing.resource_class_from_type = resource_types.class_of
    make_stack = cf.Stack.__init__

    def create_stack(self, name, template, parameters, notification_arns=None, tags=None, role_arn=None, **_):
        if name in [stack.name for stack in self.stacks.values()]:
            raise cf.AlreadyExistsException(f"Stack {name} already exists")
        stack_id = cf.generate_stack_id(name, self.region_name, self.account_id)
        stack = _empty(self, stack_id, name, tags, role_arn)
        self.stacks[stack_id] = stack
        _status(stack, "CREATE_IN_PROGRESS", "User Initiated")
        _background(lambda: (deploy(stack, template, parameters, True), _export_all(self, stack)))
        return stack

    def _empty(backend, stack_id, name, tags, role_arn):
        stack = cf.Stack.__new__(cf.Stack)
        make_stack(stack, stack_id, name, {}, {}, backend.account_id, backend.region_name, tags=tags, role_arn=role_arn,
                   cross_stack_resources=backend.exports)
        return stack

    def update_stack(self, name, template, role_arn, parameters, tags):
        stack = self.get_stack(name)
        values = self._resolve_update_parameters(instance=stack, incoming_params=parameters)
        if stack.template_dict == cf.Stack.parse_template(template) and stack.parameters == values:
            raise cf.ValidationError(message="No updates are to be performed.")
        _status(stack, "UPDATE_IN_PROGRESS", "User Initiated")
        _background(lambda: (deploy(stack, template, values, False), _export_all(self, stack)))
        return stack

    def execute_change_set(self, change_set_name, stack_name=None):
        change_set = self.describe_change_set(change_set_name)
        stack = self.stacks[change_set.stack_id]
        creating = change_set.change_set_type == "CREATE"
        _status(stack, "CREATE_IN_PROGRESS" if creating else "UPDATE_IN_PROGRESS", "User Initiated")
        change_set.execution_status = "EXECUTE_COMPLETE"
        _background(
            lambda: (deploy(stack, change_set.template, change_set.parameters, creating), _export_all(self, stack))
        )

    def delete_stack(self, name_or_stack_id):
        try:
            stack = self.get_stack(name_or_stack_id)
        except cf.ValidationError:
            return
        if stack.status == "DELETE_COMPLETE":
            return
        if stack.enable_termination_protection:
            raise cf.ValidationError(
                message=f"Stack [{stack.name}] cannot be deleted while TerminationProtection is enabled"
            )
        _status(stack, "DELETE_IN_PROGRESS", "User Initiated")
        _background(destroy, self, stack)

    def update_termination_protection(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        stack.enable_termination_protection = self._get_bool_param("EnableTerminationProtection")
        return ActionResult({"StackId": stack.stack_id})

    CloudFormationResponse.update_termination_protection = update_termination_protection
    cf.CloudFormationBackend.create_stack = create_stack
    cf.CloudFormationBackend.update_stack = update_stack
    cf.CloudFormationBackend.execute_change_set = execute_change_set
    cf.CloudFormationBackend.delete_stack = delete_stack
    cf.Stack.stack_resources = property(lambda self: [item.model for item in self.__dict__.get("deployed", {}).values()])
    parsing.ResourceMap.__getitem__ = _made_already
    # sls asks for this before every deployment; the test lints the template by itself.
    cf.CloudFormationBackend.validate_template = lambda self, template: []
    custom_resources.install()


def parameters_as_text(value):
    """CloudFormation hands every number and truth value to a custom resource as a text."""
    if isinstance(value, dict):
        return {key: parameters_as_text(item) for key, item in value.items()}
    if isinstance(value, list):
        return [parameters_as_text(item) for item in value]
    if isinstance(value, bool):
        return json.dumps(value)
    return str(value) if isinstance(value, (int, float)) else value
