import { createHash } from 'node:crypto';
import type { S3Client } from '@aws-sdk/client-s3';
import { ArchiveError, type ArchiveStore } from '../../core/index.ts';

/** What S3's refusals mean for whoever reads them. */
const causes: Record<string, string> = {
  NoSuchBucket: 'there is no such bucket: is EVENTS_ARCHIVE right?',
  PermanentRedirect: 'it is in another region: set AWS_REGION to that of the bucket',
  InvalidObjectState: 'the file was moved to Glacier: restore it first (aws s3api restore-object), then run this again',
  CredentialsProviderError: 'no credentials are known: run it in the stage, or export AWS_PROFILE',
  ExpiredToken: 'the credentials have expired: sign in again',
  InvalidAccessKeyId: 'AWS does not take the credentials: sign in again, or export another AWS_PROFILE',
  SignatureDoesNotMatch: 'AWS does not take the credentials: sign in again, or export another AWS_PROFILE',
};

/**
 * Keeps exported events below a prefix of a bucket. S3 checks each file's SHA-256 on its way in; the bucket's own
 * encryption is used. AWS's client is loaded here alone, since most installations have no bucket.
 */
export async function openBucketArchive(bucket: string, prefix: string): Promise<ArchiveStore> {
  const aws = await import('@aws-sdk/client-s3');
  const client: S3Client = new aws.S3Client(process.env.AWS_ENDPOINT_URL === undefined ? {} : { forcePathStyle: true });
  const name = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  const start = prefix === '' ? '' : `${prefix}/`;
  const at = (path: string) => ({ Bucket: bucket, Key: `${start}${path}` });
  const asking = async <T>(action: string, work: () => Promise<T>): Promise<T> => {
    try {
      return await work();
    } catch (error) {
      throw explain(error, name, action);
    }
  };
  return {
    name,
    async put(path, bytes) {
      const ChecksumSHA256 = createHash('sha256').update(bytes).digest('base64');
      await asking('s3:PutObject', () =>
        client.send(new aws.PutObjectCommand({ ...at(path), Body: bytes, ChecksumSHA256 })),
      );
    },
    get: (path) =>
      asking('s3:GetObject and s3:ListBucket', async () => {
        try {
          const { Body } = await client.send(new aws.GetObjectCommand(at(path)));
          return Buffer.from(await Body!.transformToByteArray());
        } catch (error) {
          if (error instanceof aws.NoSuchKey) return null;
          throw error;
        }
      }),
    async remove(path) {
      await asking('s3:DeleteObject', () => client.send(new aws.DeleteObjectCommand(at(path))));
    },
    list: () =>
      asking('s3:ListBucket', async () => {
        const paths: string[] = [];
        for await (const page of aws.paginateListObjectsV2({ client }, { Bucket: bucket, Prefix: start }))
          for (const { Key } of page.Contents ?? []) if (Key !== undefined) paths.push(Key.slice(start.length));
        return paths;
      }),
  };
}

function explain(error: unknown, name: string, action: string): Error {
  if (!(error instanceof Error)) return new Error(String(error));
  if (/AccessDenied|Forbidden/.test(error.name))
    return new ArchiveError(`${name} can't be used: allow ${action} there, and the use of its key, to this role`);
  const cause =
    causes[error.name] ?? (/region is missing/i.test(error.message) ? 'no region is known: set AWS_REGION' : null);
  return cause === null ? error : new ArchiveError(`${name} can't be used: ${cause}`);
}
