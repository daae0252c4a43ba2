import type { AskAws } from '../checklists/ask-aws.ts';
import { type Finding, no, ok } from '../checklists/check.ts';
import type { Stage } from '../checklists/read-stage.ts';
import type { StackResource } from './check-stack.ts';

/** What Secrets Manager says of a secret: never its value. */
export interface SecretState {
  Name: string;
  DeletedDate?: string;
  VersionIdsToStages?: Record<string, string[]>;
}

/** Whether every secret that the stage needs is there with a value, without reading one. */
export async function checkSecrets(aws: AskAws, stage: Stage, resources: StackResource[]): Promise<Finding> {
  const ofStack = resources.filter(({ ResourceType }) => ResourceType === 'AWS::SecretsManager::Secret');
  // The code secret may be another stack's.
  const { CodeSecretArn, CodeSecretVersion = '1' } = stage.outputs;
  const given = CodeSecretArn === undefined ? [] : [CodeSecretArn];
  const ids = [...new Set([...ofStack.map(({ PhysicalResourceId }) => PhysicalResourceId), ...given])];
  const found = await Promise.all(
    ids.map(
      async (id) => (await aws('secretsmanager', 'describe-secret', '--secret-id', id)) as unknown as SecretState,
    ),
  );
  const label = CodeSecretVersion === '1' ? 'AWSCURRENT' : `code-secret-${CodeSecretVersion}`;
  return judgeSecrets(found, (index) => (ids[index] === CodeSecretArn ? label : 'AWSCURRENT'));
}

/**
 * Decides about the secrets that were found.
 * @param labelOf the version that tasks read, by the secret's place in the list
 */
export function judgeSecrets(found: readonly SecretState[], labelOf: (index: number) => string): Finding {
  for (const [index, { Name, DeletedDate, VersionIdsToStages = {} }] of found.entries()) {
    if (DeletedDate !== undefined) {
      return no(`${Name} is about to be deleted: aws secretsmanager restore-secret --secret-id ${Name}`);
    }
    const label = labelOf(index);
    if (!Object.values(VersionIdsToStages).some((labels) => labels.includes(label))) {
      return no(`${Name} has no value ${label}: docs/deployment.md, "Secrets"`);
    }
  }
  return found.length === 0 ? no('there is none: deploy again') : ok(`${found.length} have a value`);
}
