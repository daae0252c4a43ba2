import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { bareEnvironment } from '../../support/bare-environment.ts';
import { awsCliFolder } from './aws-cli.ts';

/** How a script of .github/scripts ended. */
export interface ScriptRun {
  status: number;
  stdout: string;
  stderr: string;
}

/**
 * Runs one of the pipeline's scripts in a copy of the project, with the aws CLI and `npx sls` in an emulated account.
 * @param environment what it is told beside the account
 */
export function runScript(
  directory: string,
  endpointUrl: string,
  name: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<ScriptRun> {
  return runCommand(directory, endpointUrl, join(directory, '.github/scripts', name), args, environment);
}

/** Runs any command there in the same way. */
export async function runCommand(
  directory: string,
  endpointUrl: string,
  command: string,
  args: string[],
  environment: Record<string, string> = {},
): Promise<ScriptRun> {
  const options = {
    cwd: directory,
    encoding: 'utf8' as const,
    env: {
      ...bareEnvironment(),
      // `npx` takes what is in the project; the pipeline's Node is the one that runs this.
      PATH: `${dirname(process.execPath)}:${await awsCliFolder()}:${process.env.PATH}`,
      HOME: directory,
      CI: '1',
      SLS_TELEMETRY_DISABLED: '1',
      SLS_NOTIFICATIONS_MODE: 'off',
      AWS_ENDPOINT_URL: endpointUrl,
      AWS_ACCESS_KEY_ID: 'test',
      AWS_SECRET_ACCESS_KEY: 'test',
      AWS_REGION: 'us-east-1',
      AWS_DEFAULT_REGION: 'us-east-1',
      ...environment,
    },
  };
  return new Promise((resolve) => {
    execFile(command, args, options, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}
