"""Custom resources: the function is run with CloudFormation's event, and its answer decides."""

import json
import uuid

from moto.awslambda import lambda_backends
from moto.core.common_models import CloudFormationModel

import functions

_answers = {}


class CustomResource(CloudFormationModel):
    # moto files its models by the second part of their module.
    __module__ = "moto.emulator.models"

    def __init__(self, pid, data):
        self.pid, self.data = pid, data

    @property
    def physical_resource_id(self):
        return self.pid

    @staticmethod
    def cloudformation_name_type():
        return ""

    @staticmethod
    def cloudformation_type():
        return "?custom"

    @classmethod
    def has_cfn_attr(cls, attr):
        return True

    def get_cfn_attribute(self, attribute_name):
        if attribute_name not in self.data:
            raise ValueError(f"the custom resource answered without {attribute_name}")
        return self.data[attribute_name]


def is_custom(kind):
    return kind.startswith("Custom::") or kind == "AWS::CloudFormation::CustomResource"


def accept_answer(token, body):
    """Keeps the first answer to an event; later ones are nobody's. False for a token that is not waited for."""
    if token not in _answers:
        return False
    if _answers[token] is None:
        _answers[token] = json.loads(body)
    return True


def request(stack, logical, kind, request_type, properties, model=None, old=None):
    """Runs the function and returns the resource that it answered with. Raises with its reason for FAILED."""
    import stack_engine

    token = uuid.uuid4().hex
    _answers[token] = None
    as_text = stack_engine.parameters_as_text
    event = {
        "RequestType": request_type,
        "ServiceToken": properties["ServiceToken"],
        "ResponseURL": functions.own_address(f"/_emulator/answers/{token}"),
        "StackId": stack.stack_id,
        "RequestId": str(uuid.uuid4()),
        "LogicalResourceId": logical,
        "ResourceType": kind,
        "ResourceProperties": as_text(properties),
    }
    if model is not None:
        event["PhysicalResourceId"] = model.physical_resource_id
    if old is not None:
        event["OldResourceProperties"] = as_text(old)
    function = lambda_backends[stack.account_id][stack.region_name].get_function(properties["ServiceToken"])
    functions.run(function, event)
    answer = _answers.pop(token)
    if answer is None:
        raise RuntimeError(f"Custom Resource failed to stabilize in expected time: {logical} was never answered for")
    for name in ("StackId", "RequestId", "LogicalResourceId"):
        if answer.get(name) != event[name]:
            raise RuntimeError(f"Invalid response: {name} is not that of the request")
    if len(json.dumps(answer)) > 4096:
        raise RuntimeError("Response object is too long.")
    if answer.get("Status") != "SUCCESS":
        raise RuntimeError(f"Received response status [FAILED] from custom resource. Message returned: {answer['Reason']}")
    if not answer.get("PhysicalResourceId"):
        raise RuntimeError("Invalid PhysicalResourceId")
    pid, data = answer["PhysicalResourceId"], answer.get("Data") or {}
    if model is not None and model.physical_resource_id == pid:
        model.data = data
        return model
    return CustomResource(pid, data)


def install():
    """Nothing of moto's own custom resources is used."""
