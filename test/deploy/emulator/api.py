"""Calls the emulator's own services as a client does, with properties as a template writes them."""

import boto3
from botocore.config import Config
from botocore.model import ListShape, MapShape, StructureShape

import functions

_clients = {}


def client(service, region):
    key = (service, region)
    if key not in _clients:
        _clients[key] = boto3.client(
            service,
            endpoint_url=functions.own_address(),
            region_name=region,
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}),
        )
    return _clients[key]


def call(service, region, operation, properties):
    """Sends the properties that the operation knows, spelt and typed as its API wants them."""
    api = client(service, region)
    shape = api.meta.service_model.operation_model(api.meta.method_to_api_mapping[operation]).input_shape
    known = {name.lower() for name in shape.members}
    return getattr(api, operation)(**_fit(shape, {k: v for k, v in properties.items() if k.lower() in known}))


def _fit(shape, value):
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        names = {name.lower(): name for name in shape.members}
        return {names[k.lower()]: _fit(shape.members[names[k.lower()]], v) for k, v in value.items() if k.lower() in names}
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_fit(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, dict):
        return {key: _fit(shape.value, item) for key, item in value.items()}
    if shape.type_name in ("integer", "long"):
        return int(value)
    if shape.type_name in ("double", "float"):
        return float(value)
    if shape.type_name == "boolean":
        return value if isinstance(value, bool) else str(value).lower() == "true"
    if shape.type_name == "string" and isinstance(value, (int, float)) and not isinstance(value, bool):
        return str(value)
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    return value
