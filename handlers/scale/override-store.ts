import { DeleteParameterCommand, GetParameterCommand, PutParameterCommand, type SSMClient } from '@aws-sdk/client-ssm';
import { type CapacityOverride, readKeptOverride, writeOverride } from './capacity-override.ts';

/**
 * Keeps an override in a parameter of Systems Manager, whose history tells who set what and when. No deployment and no
 * rollback changes it.
 */
export interface OverrideStore {
  /** @throws if it can't be found out whether there is one */
  read(nowMillis: number): Promise<CapacityOverride | null>;
  write(override: CapacityOverride): Promise<void>;
  /** Does nothing where there is none. */
  remove(): Promise<void>;
}

/** @param Name the parameter's, such as `/qurable/prod/capacity-override` */
export function overrideStore(client: SSMClient, Name: string): OverrideStore {
  return {
    async read(nowMillis) {
      try {
        const { Parameter } = await client.send(new GetParameterCommand({ Name }));
        return readKeptOverride(Parameter?.Value ?? '', nowMillis);
      } catch (error) {
        if (isMissing(error)) return null;
        throw error;
      }
    },
    async write(override) {
      await client.send(
        new PutParameterCommand({ Name, Value: writeOverride(override), Type: 'String', Overwrite: true }),
      );
    },
    async remove() {
      try {
        await client.send(new DeleteParameterCommand({ Name }));
      } catch (error) {
        if (!isMissing(error)) throw error;
      }
    },
  };
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && error.name === 'ParameterNotFound';
}
