import { beforeAll } from '@jest/globals';
import { allIfLong } from '../support/long-run.ts';
import {
  asList,
  objectsIn,
  optionsOfProd,
  type Packaged,
  type Properties,
  packageStage,
  packagingMillis,
  resource,
  type Template,
  trialOfProd,
  type Value,
} from './packaged-template.ts';

/** The stages, as a new installation has them. */
export const stages = ['dev', 'prod'] as const;

/** A stage, or prod with whatever it can have beside its defaults. */
export type PackagedStage = (typeof stages)[number] | 'options';

/**
 * Dev with some of what can be other than its defaults. Together, since each packaging takes seconds of a processor,
 * and none of them has to do with another.
 */
export const changesOfDev = {
  traceTasks: 'true',
  eventsKeepMonths: '13',
  codeSecretVersion: '2',
  adminKeyVersion: '3',
  jwtSecretVersion: '2',
};

/** What an operator may change in prod while it runs, together for the same reason. */
export const changesOfProd = {
  ...trialOfProd,
  databaseApplyImmediately: 'true',
  databaseReplicaVersion: '15.18',
  accessLogDays: '7',
};

/**
 * The stages with each way of deployment that has two sets of tasks, with what prod must have for them: each stage and
 * each way once, and in the long run each stage in each way.
 */
export const twoSetCases = allIfLong(
  (['dev', 'prod'] as const).flatMap((stage) =>
    (['canary', 'blue-green'] as const).map((deployment) => ({
      stage,
      deployment,
      given: stage === 'dev' ? {} : { ...optionsOfProd, databaseClass: 'db.t4g.large' },
    })),
  ),
  ({ stage, deployment }) => (stage === 'prod') === (deployment === 'canary'),
);

/** What was packaged of each; filled before the first test of a file that calls packageStages. */
export const packaged = {} as Record<PackagedStage, Packaged>;

/** Packages all of them before the tests of a file. Of the files of a run one packages, and the others take that. */
export function packageStages(): void {
  beforeAll(async () => {
    packaged.dev = await packageStage('dev');
    packaged.prod = await packageStage('prod', trialOfProd);
    packaged.options = await packageStage('prod', optionsOfProd);
  }, packagingMillis);
}

/** The template of one of them. */
export function templateOf(stage: PackagedStage): Template {
  return packaged[stage].template;
}

/** The container of the API in the definition of its tasks. */
export function container(stage: PackagedStage): Properties {
  return asList(resource(templateOf(stage), 'TaskDefinition').ContainerDefinitions)[0] as Properties;
}

/** Its variables, by their names. */
export function variablesOf(stage: PackagedStage): Properties {
  const variables = container(stage).Environment as { Name: string; Value: Value }[];
  return Object.fromEntries(variables.map(({ Name, Value: value }) => [Name, value]));
}

/** The secrets that it is given, by the names of their variables. */
export function secretsOf(stage: PackagedStage): Properties {
  const secrets = container(stage).Secrets as { Name: string; ValueFrom: Value }[];
  return Object.fromEntries(secrets.map(({ Name, ValueFrom }) => [Name, ValueFrom]));
}

/** Every statement of every policy, with where it stands. */
export function statementsOf(template: Template): { place: string; statement: Properties }[] {
  return Object.entries(template.Resources).flatMap(([place, { Properties }]) =>
    [...objectsIn(Properties ?? {})]
      .flatMap((object) => asList(object.Statement))
      .filter((statement): statement is Properties => typeof statement === 'object' && statement !== null)
      .filter((statement) => 'Effect' in statement)
      .map((statement) => ({ place, statement })),
  );
}
