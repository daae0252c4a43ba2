import type { InputProblem } from '../errors.ts';
import { limits } from '../limits.ts';

/** What a validator finds wrong with a value, in Ajv's words. */
export interface ShapeFailure {
  keyword: string;
  /** A JSON pointer into the value. */
  instancePath: string;
  params: Record<string, unknown>;
  message?: string | undefined;
  /** The shape that has the keyword, where the validator tells it. */
  parentSchema?: { description?: string } | undefined;
}

/**
 * Says in plain words what a validator found.
 * @param inBody whether paths are JSON pointers into the body; else they are names of parameters
 */
export function describeProblems(failures: readonly ShapeFailure[], inBody: boolean): InputProblem[] {
  const problems = new Map<string, InputProblem>();
  for (const failure of failures) {
    const pointer = failure.instancePath + childOf(failure);
    const path = inBody ? pointer || 'body' : pointer.slice(1);
    // The first thing that is wrong with a field is enough: an empty text need not also fail its pattern.
    if (!problems.has(path)) {
      problems.set(path, { path, message: messageOf(failure, pointer, inBody ? 'field' : 'parameter') });
    }
    if (problems.size === limits.problemsMaxNamed) break;
  }
  return [...problems.values()];
}

/** A missing or unknown field is reported at its parent; a client wants the field's own name. */
function childOf({ keyword, params }: ShapeFailure): string {
  if (keyword === 'required') return `/${escapePointer(params.missingProperty)}`;
  if (keyword === 'additionalProperties') return `/${escapePointer(params.additionalProperty)}`;
  return '';
}

function messageOf(failure: ShapeFailure, pointer: string, noun: string): string {
  const { keyword, params } = failure;
  const limit = params.limit;
  if (pointer === '' && keyword === 'type')
    return 'must be a JSON object; send one with Content-Type: application/json';
  switch (keyword) {
    case 'required':
      return 'is required';
    case 'additionalProperties':
      return `is not a known ${noun}; remove it`;
    case 'type':
      return `must be ${wordsOfType(params.type)}`;
    case 'enum':
      return `must be one of ${(params.allowedValues as unknown[]).map((value) => JSON.stringify(value)).join(', ')}`;
    case 'minLength':
      return limit === 1 ? 'must not be empty' : `must have at least ${limit} characters`;
    case 'maxLength':
      return `must have at most ${limit} characters`;
    case 'minItems':
      return `must have at least ${limit} ${limit === 1 ? 'item' : 'items'}`;
    case 'maxItems':
      return `must have at most ${limit} items`;
    case 'minimum':
      return `must be ${limit} or more`;
    case 'maximum':
      return `must be ${limit} or less`;
    case 'pattern':
      return mustBe(failure.parentSchema?.description) ?? `must match ${params.pattern}`;
    default:
      return failure.message ?? 'is not valid';
  }
}

/** Makes a field's description, such as `A UUID.`, what the field must be. */
function mustBe(description: string | undefined): string | null {
  if (description === undefined) return null;
  return `must be ${description.charAt(0).toLowerCase()}${description.slice(1).replace(/\.$/, '')}`;
}

const typeWords: Record<string, string> = {
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
  object: 'an object',
  array: 'a list',
  null: 'null',
};

function wordsOfType(type: unknown): string {
  const types = Array.isArray(type) ? type : String(type).split(',');
  return types.map((name) => typeWords[name] ?? String(name)).join(' or ');
}

/** RFC 6901, section 3. */
function escapePointer(name: unknown): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}
