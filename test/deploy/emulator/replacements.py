"""Which change of which property makes CloudFormation replace a resource: each type's own schema says it, and cfn-lint
brings the schemas."""

import functools


@functools.cache
def _schema(kind):
    from cfnlint.schema.manager import PROVIDER_SCHEMA_MANAGER

    try:
        return PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", kind).schema
    except Exception:
        # A custom resource has none: its function decides.
        return {}


def create_only(kind):
    """The properties, as paths, that can be given at the creation alone."""
    return [tuple(path.split("/")[2:]) for path in _schema(kind).get("createOnlyProperties", [])]


def _at(properties, path):
    for part in path:
        properties = properties.get(part) if isinstance(properties, dict) else None
    return properties


def replacing(kind, before, after):
    """The names of the properties whose change replaces the resource."""
    return sorted({path[0] for path in create_only(kind) if _at(before, path) != _at(after, path)})


def refuse_same_name(kind, before, after):
    """A replacement is made before what it replaces goes: under the same name that can't be."""
    for path in _schema(kind).get("primaryIdentifier", []):
        name = _at(after, path.split("/")[2:])
        if isinstance(name, str) and name == _at(before, path.split("/")[2:]):
            raise RuntimeError(
                "CloudFormation cannot update a stack when a custom-named resource requires replacing. "
                f"Rename {name} and update the stack again."
            )
