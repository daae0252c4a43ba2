import { BadInput } from './bad-input.ts';

/** A value of a template: text, number, or an object with an intrinsic function. */
export type TemplateValue = string | number | boolean | null | TemplateValue[] | { [name: string]: TemplateValue };
/** The properties of a resource, by their names. */
export type TemplateProperties = { [name: string]: TemplateValue };

/** One resource of a template, with the name by which others refer to it. */
export interface TemplateResource {
  name: string;
  type: string;
  properties: TemplateProperties;
}

/** What is read of a packaged template. */
export interface CostTemplate {
  resources: TemplateResource[];
  /** The resource of that name; undefined where there is none. */
  find(name: string): TemplateResource | undefined;
  ofType(type: string): TemplateResource[];
}

/**
 * Reads the text of a template as CloudFormation takes it, in JSON.
 * @param path for what is said of it
 * @throws BadInput where it is no template
 */
export function readTemplate(text: string, path: string): CostTemplate {
  let parsed: { Resources?: Record<string, { Type?: unknown; Properties?: TemplateProperties }> };
  try {
    parsed = JSON.parse(text);
  } catch {
    throw new BadInput(`${path} is not JSON: give the cloudformation-template-update-stack.json of \`sls package\``);
  }
  return templateOf(parsed?.Resources ?? {}, path);
}

/**
 * A template of resources that are parsed already.
 * @throws BadInput where there are none
 */
export function templateOf(
  given: Record<string, { Type?: unknown; Properties?: TemplateProperties }>,
  path: string,
): CostTemplate {
  const resources = Object.entries(given).map(([name, { Type, Properties }]) => ({
    name,
    type: String(Type),
    properties: Properties ?? {},
  }));
  if (resources.length === 0) {
    throw new BadInput(
      `${path} has no Resources: give the cloudformation-template-update-stack.json of \`sls package\``,
    );
  }
  return {
    resources,
    find: (name) => resources.find((resource) => resource.name === name),
    ofType: (type) => resources.filter((resource) => resource.type === type),
  };
}

/** A property that must be text. @throws BadInput */
export function textOf({ name, type, properties }: TemplateResource, property: string): string {
  const value = properties[property];
  if (typeof value === 'string') return value;
  throw new BadInput(
    `${name} (${type}): ${property} is ${JSON.stringify(value)}, and its price hangs on a plain text there`,
  );
}

/** A property that must be a whole number, or the text of one. @throws BadInput */
export function wholeOf(resource: TemplateResource, property: string): number {
  const value = resource.properties[property];
  if ((typeof value === 'number' || typeof value === 'string') && /^\d{1,15}$/.test(String(value)))
    return Number(value);
  const { name, type } = resource;
  throw new BadInput(
    `${name} (${type}): ${property} is ${JSON.stringify(value)}, and its price hangs on a whole number there`,
  );
}

/** A property as a list; none where it is not there. */
export function listOf({ properties }: TemplateResource, property: string): TemplateValue[] {
  const value = properties[property];
  if (value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

/** A value as an object; empty where it is none. */
export function objectOf(value: TemplateValue | undefined): TemplateProperties {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : {};
}

/** The name of the resource that `{Ref}` or `{Fn::GetAtt}` means; null for any other value. */
export function referredBy(value: TemplateValue | undefined): string | null {
  const { Ref, 'Fn::GetAtt': attribute } = objectOf(value);
  if (typeof Ref === 'string') return Ref;
  if (Array.isArray(attribute)) return String(attribute[0]);
  return typeof attribute === 'string' ? attribute.split('.')[0]! : null;
}
