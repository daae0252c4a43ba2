"""Drift: what was changed by hand of what a stack has made. Of alarms alone, by their thresholds and whether they are there:
the other resources are as the template says, whatever was done to them."""

from moto.cloudformation.responses import CloudFormationResponse
from moto.core.responses import ActionResult
from moto.core.utils import utcnow

import api

_ids = {}


def _drifts(stack):
    alarms = {
        item.model.physical_resource_id: (logical, item)
        for logical, item in stack.__dict__.get("deployed", {}).items()
        if item.kind == "AWS::CloudWatch::Alarm"
    }
    there = api.client("cloudwatch", stack.region_name).get_paginator("describe_alarms").paginate()
    thresholds = {alarm["AlarmName"]: alarm.get("Threshold") for page in there for alarm in page["MetricAlarms"]}
    for name, (logical, item) in alarms.items():
        wanted = float(item.properties["Threshold"])
        if name in thresholds and thresholds[name] == wanted:
            continue
        yield {
            "StackId": stack.stack_id,
            "LogicalResourceId": logical,
            "PhysicalResourceId": name,
            "ResourceType": item.kind,
            "StackResourceDriftStatus": "MODIFIED" if name in thresholds else "DELETED",
            "PropertyDifferences": [{
                "PropertyPath": "/Threshold", "ExpectedValue": str(wanted), "ActualValue": str(thresholds[name]),
                "DifferenceType": "NOT_EQUAL",
            }] if name in thresholds else [],
            "Timestamp": utcnow(),
        }


def install():
    def detect_stack_drift(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        _ids[f"drift-{len(_ids) + 1}"] = stack
        return ActionResult({"StackDriftDetectionId": f"drift-{len(_ids)}"})

    def describe_stack_drift_detection_status(self):
        id_ = self._get_param("StackDriftDetectionId")
        stack = _ids[id_]
        found = list(_drifts(stack))
        return ActionResult({
            "StackId": stack.stack_id,
            "StackDriftDetectionId": id_,
            "StackDriftStatus": "DRIFTED" if found else "IN_SYNC",
            "DetectionStatus": "DETECTION_COMPLETE",
            "DriftedStackResourceCount": len(found),
            "Timestamp": utcnow(),
        })

    def describe_stack_resource_drifts(self):
        stack = self.cloudformation_backend.get_stack(self._get_param("StackName"))
        return ActionResult({"StackResourceDrifts": list(_drifts(stack))})

    CloudFormationResponse.detect_stack_drift = detect_stack_drift
    CloudFormationResponse.describe_stack_drift_detection_status = describe_stack_drift_detection_status
    CloudFormationResponse.describe_stack_resource_drifts = describe_stack_resource_drifts
