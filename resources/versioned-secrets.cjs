// Keys that a deployment changes when their version is raised (adminKeyVersion, jwtSecretVersion): each version is a secret
// of its own name in the template, with a value of its own. A value put in by hand would be overwritten by the next change
// of its resource, and a key that leaked would come back; this way it can't, whatever is deployed later: going back to an
// earlier version makes a new value under the old name. Tasks are rolled with it, since the secret's ARN is another.

/** The template's part for these versions. */
function versionedSecrets({ adminKeyVersion, jwtSecretVersion }, stage) {
  const { seed, adminKey, jwt } = secretNames({ adminKeyVersion, jwtSecretVersion });
  return {
    Resources: {
      [jwt]: generated(`Qurable ${stage} - signs HS256 tokens`, 64),
      // A generated text can't be given a beginning, and the bootstrap key has one, so that a leaked key is recognised: the
      // key is made of a seed. A dynamic reference is resolved by CloudFormation and stands in no template.
      [seed]: generated(`Qurable ${stage} - what the bootstrap admin key is made of`, 48),
      [adminKey]: secret(`Qurable ${stage} - the bootstrap admin key`, {
        SecretString: { 'Fn::Sub': `qk_{{resolve:secretsmanager:\${${seed}}:SecretString}}` },
      }),
    },
    Outputs: { AdminKeySecretArn: { Value: { Ref: adminKey } } },
  };
}

/** What the secrets of these versions are called in the template; the first version has no number. */
function secretNames({ adminKeyVersion, jwtSecretVersion }) {
  const numbered = (name, version) => (version === 1 ? name : `${name}${version}`);
  return {
    seed: numbered('AdminKeySeed', adminKeyVersion),
    adminKey: numbered('AdminKeySecret', adminKeyVersion),
    jwt: numbered('JwtSecret', jwtSecretVersion),
  };
}

function generated(description, length) {
  return secret(description, { GenerateSecretString: { PasswordLength: length, ExcludePunctuation: true } });
}

function secret(Description, value) {
  return {
    Type: 'AWS::SecretsManager::Secret',
    DeletionPolicy: 'Delete',
    UpdateReplacePolicy: 'Delete',
    Properties: { Description, KmsKeyId: { Ref: 'Key' }, ...value },
  };
}

module.exports = { secretNames, versionedSecrets };
