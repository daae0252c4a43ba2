import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from '@jest/globals';
import {
  asList,
  objectsIn,
  ofType,
  optionsOfProd,
  type Properties,
  packageStage,
  packagingMillis,
  trialOfProd,
} from './packaged-template.ts';

const pipeline = readFileSync(resolve(import.meta.dirname, '../../resources/pipeline-stage.yml'), 'utf8');
const boundary = pipeline.slice(pipeline.indexOf('\n  Boundary:'));
/** Actions that the boundary leaves to a role, `elasticache:*` among them. */
const allowed = new Set([...boundary.matchAll(/'([a-z0-9-]+:[A-Za-z*]+)'/g)].map(([, action]) => action!));

test.each([
  ['dev', {}],
  ['prod', trialOfProd],
  ['prod', { ...optionsOfProd, databaseClass: 'db.t4g.large', deployment: 'canary' }],
])(
  'the boundary of roles that the pipeline makes leaves each role of %s what it is given: %j',
  async (stage, parameters) => {
    const { template } = await packageStage(stage, parameters);
    const actions = ofType(template, 'AWS::IAM::Role').flatMap(([name, { Properties }]) =>
      [...objectsIn(Properties.Policies ?? [])]
        .flatMap((object) => asList(object.Statement) as Properties[])
        .flatMap(({ Effect, Action }) => (Effect === 'Allow' ? (asList(Action) as string[]) : []))
        .map((action) => [name, action] as const),
    );
    expect(actions.length).toBeGreaterThan(40);
    const beyond = actions.filter(([, action]) => !allowed.has(action) && !allowed.has(`${action.split(':')[0]}:*`));
    expect(beyond).toEqual([]);
  },
  packagingMillis,
);
