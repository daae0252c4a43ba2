import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import type { Account } from './account.ts';

const registry = 'AmazonEC2ContainerRegistry_V20150921';

/** The tag that belongs to a copy's files. */
export function imageTagOf(directory: string): string {
  const program = join(directory, 'resources/image-tag.cjs');
  return execFileSync(process.execPath, [program], { encoding: 'utf8' }).trim();
}

/**
 * Puts a manifest into the registry under the tag that belongs to a copy's files, in the place of building and pushing.
 * Does nothing where it is there already.
 */
export async function pushImage(account: Account, directory: string): Promise<void> {
  const tag = imageTagOf(directory);
  const layer = {
    mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip',
    size: 1,
    digest: `sha256:${'0'.repeat(64)}`,
  };
  const manifest = {
    schemaVersion: 2,
    mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
    config: { ...layer, mediaType: 'application/vnd.docker.container.image.v1+json' },
    layers: [layer],
    annotations: { tag },
  };
  const body = { repositoryName: 'qurable-api', imageTag: tag, imageManifest: JSON.stringify(manifest) };
  await account.call('ecr', { target: `${registry}.PutImage`, body }).catch((error: Error) => {
    // The same files have the same tag, and no tag moves.
    if (!error.message.includes('ImageAlreadyExistsException')) throw error;
  });
}

/** Makes the registry without its stack. */
export async function createRepository(account: Account): Promise<void> {
  await account.call('ecr', { target: `${registry}.CreateRepository`, body: { repositoryName: 'qurable-api' } });
}
