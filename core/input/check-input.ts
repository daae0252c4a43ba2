import type { Static, TSchema } from 'typebox';
import { Compile, type Validator } from 'typebox/schema';
import { Settings } from 'typebox/system';
import { type InputProblem, invalidInputs } from '../errors.ts';
import { describeProblems, type ShapeFailure } from './describe-problems.ts';
import { unsafeValueProblem } from './field-rules.ts';

/** Its own bound of 8 would leave wrong fields unnamed. Counted are an unknown field's two failures. */
const failuresMax = 100;

/** What an input is made of: the fields of a body, or the parameters of a path or a query. */
type InputKind = 'body' | 'parameters';

const validators = new WeakMap<object, Validator>();

/**
 * Checks a value against the declaration of an input, for a caller that comes by another way than HTTP, where Fastify
 * has checked the body against the same declaration. An operation checks no shape itself: the type of what it takes
 * says that this has been done, and what a shape can't say is the operation's to check.
 * @param shape an input's declaration, an object; it is compiled once
 * @param kind how the fields are named: `/name` in a body, `name` where they are parameters
 * @returns the value itself
 * @throws CouponError `invalid-input` naming every field that is wrong, unknown or missing, in the words of the edge;
 *   also for what unsafeValueProblem names, which at the edge the reader of JSON refuses
 */
export function checkInput<T extends TSchema>(shape: T, value: unknown, kind: InputKind = 'body'): Static<T> {
  const validator = validatorOf(shape);
  const problems = validator.Check(value) ? unsafeFields(value, kind) : problemsOf(shape, validator, value, kind);
  if (problems.length > 0) throw invalidInputs(problems);
  return value as Static<T>;
}

function unsafeFields(value: unknown, kind: InputKind): InputProblem[] {
  return Object.entries(value ?? {}).flatMap(([name, part]) => {
    const message = unsafeValueProblem(part);
    return message === null ? [] : [{ path: kind === 'body' ? `/${name}` : name, message }];
  });
}

function validatorOf(shape: TSchema): Validator {
  const known = validators.get(shape);
  if (known !== undefined) return known;
  const validator = Compile(shape);
  validators.set(shape, validator);
  return validator;
}

function problemsOf(shape: TSchema, validator: Validator, value: unknown, kind: InputKind): InputProblem[] {
  Settings.Set({ maxErrors: failuresMax });
  const [, errors] = validator.Errors(value);
  return describeProblems(
    errors.flatMap((error) => inAjvWords(shape, error)),
    kind === 'body',
  );
}

/** TypeBox tells all missing and all unknown fields of an object at once, and an unknown one a second time. */
function inAjvWords(shape: TSchema, error: ReturnType<Validator['Errors']>[1][number]): ShapeFailure[] {
  if (error.keyword === 'boolean') return [];
  if (error.keyword === 'required') {
    return error.params.requiredProperties.map((name) => ({ ...error, params: { missingProperty: name } }));
  }
  if (error.keyword === 'additionalProperties') {
    return error.params.additionalProperties.map((name) => ({ ...error, params: { additionalProperty: name } }));
  }
  return [{ ...error, params: { ...error.params }, parentSchema: partAt(shape, error.schemaPath) }];
}

/** The part of a shape that a path such as `#/properties/name` leads to. */
function partAt(shape: TSchema, path: string): { description?: string } {
  const names = path.split('/').slice(1);
  return names.reduce((part: object, name) => (Reflect.get(part, name) as object | undefined) ?? {}, shape);
}
