import {
  DescribeSecretCommand,
  GetSecretValueCommand,
  PutSecretValueCommand,
  ResourceNotFoundException,
  type SecretsManagerClient,
  UpdateSecretVersionStageCommand,
} from '@aws-sdk/client-secrets-manager';

/** A user of the database, as it stands in a secret beside whatever else is there. */
export interface Login {
  username: string;
  password: string;
}

/** Operations on the versions of a secret. */
export interface SecretVersions {
  /** The login that is in use. */
  current(arn: string): Promise<Login>;
  /** The login that is, or was last, to become the one in use; null: there was never one. */
  pending(arn: string): Promise<Login | null>;
  /** The login of a rotation, by its token; null: it has none yet. */
  ofRotation(arn: string, token: string): Promise<Login | null>;
  /** Adds a version that is not in use yet, under the rotation's token. Repeating it is harmless. */
  propose(arn: string, token: string, login: Login): Promise<void>;
  /** Makes the version of the token the one in use. If it is already, nothing happens. */
  promote(arn: string, token: string): Promise<void>;
}

/** Secrets in Secrets Manager. */
export function secretsOf(client: SecretsManagerClient): SecretVersions {
  const read = async (SecretId: string, version: { VersionStage: string } | { VersionId: string }) => {
    const answer = await client.send(new GetSecretValueCommand({ SecretId, ...version }));
    return parseLogin(answer.SecretString);
  };
  return {
    current: (arn) => read(arn, { VersionStage: 'AWSCURRENT' }),
    pending: (arn) => orNull(read(arn, { VersionStage: 'AWSPENDING' })),
    ofRotation: (arn, token) => orNull(read(arn, { VersionId: token })),
    propose: async (arn, token, login) => {
      await client.send(
        new PutSecretValueCommand({
          SecretId: arn,
          ClientRequestToken: token,
          SecretString: JSON.stringify(login),
          VersionStages: ['AWSPENDING'],
        }),
      );
    },
    promote: async (arn, token) => {
      const { VersionIdsToStages = {} } = await client.send(new DescribeSecretCommand({ SecretId: arn }));
      const inUse = Object.keys(VersionIdsToStages).find((id) => VersionIdsToStages[id]?.includes('AWSCURRENT'));
      if (inUse === token) return;
      await client.send(
        new UpdateSecretVersionStageCommand({
          SecretId: arn,
          VersionStage: 'AWSCURRENT',
          MoveToVersionId: token,
          RemoveFromVersionId: inUse,
        }),
      );
    },
  };
}

async function orNull<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if (error instanceof ResourceNotFoundException) return null;
    throw error;
  }
}

function parseLogin(text: string | undefined): Login {
  try {
    const fields: unknown = JSON.parse(text ?? '');
    if (typeof fields === 'object' && fields !== null && 'username' in fields && 'password' in fields) {
      const { username, password } = fields;
      if (typeof username === 'string' && typeof password === 'string') return { username, password };
    }
  } catch {
    // The parser's message would quote the secret.
  }
  throw new Error('a secret of the database is not a JSON object with a username and a password');
}
