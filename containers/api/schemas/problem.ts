import { type Static, Type } from 'typebox';
import { conflictReasons, type ErrorKind, errorKinds, oneOf, unavailableOutcomes } from '../../../core/index.ts';

const kinds = Object.keys(errorKinds) as ErrorKind[];

/** One thing wrong with the input. */
const InputProblem = Type.Object({
  path: Type.String({
    description: 'A JSON pointer into the body, or the name of a parameter or header.',
    examples: ['/userId'],
  }),
  message: Type.String({ description: 'What is wrong and how to mend it.', examples: ['is required'] }),
});

/** A refusal, as RFC 9457 has it. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({
      description: 'The address of a page about this kind of problem.',
      examples: ['/problems/code-locked'],
    }),
    kind: oneOf(kinds, { description: 'The problem’s name, for programs to branch on.', examples: ['code-locked'] }),
    title: Type.String({ description: 'The kind in a few words.' }),
    status: Type.Integer({ description: 'The HTTP status.' }),
    detail: Type.String({ description: 'What happened, for the developer.' }),
    instance: Type.String({ description: 'The path of the request.' }),
    errors: Type.Optional(Type.Array(InputProblem, { description: 'With `invalid-input`: each thing to mend.' })),
    reason: Type.Optional(
      oneOf(conflictReasons, {
        description:
          'With `conflict`: what stands in the way. `already-reversed` is as good as done: the redemption has been given back.',
        examples: ['already-reversed'],
      }),
    ),
    outcome: Type.Optional(
      oneOf(unavailableOutcomes, {
        description:
          'With `unavailable`: `not-begun` where nothing was done; `unknown` where only a repeat with the same key can tell.',
        examples: ['not-begun'],
      }),
    ),
    rev: Type.Optional(Type.Integer({ description: 'The coupon’s revision, where the caller may see the coupon.' })),
  },
  { $id: 'Problem', description: 'Why a request was refused (RFC 9457).' },
);

/** A problem document. */
export type Problem = Static<typeof ProblemSchema>;
