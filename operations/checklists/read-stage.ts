import { BadInput } from '../cost/bad-input.ts';
import { stagesOf } from '../cost/package-stage.ts';
import { type AskAws, AwsRefusal } from './ask-aws.ts';

/** A stage as it is deployed. */
export interface Stage {
  name: string;
  /** Such as `qurable-prod`. */
  stack: string;
  /** Such as `UPDATE_COMPLETE`. */
  status: string;
  /** What the stack says about itself, by name. */
  outputs: Record<string, string>;
}

/**
 * Reads what is deployed of a stage.
 * @throws BadInput for a stage that resources/stages.yml does not know, or of which nothing is there
 */
export async function readStage(aws: AskAws, name: string, region: string | null): Promise<Stage> {
  const known = stagesOf();
  if (!known.includes(name)) throw new BadInput(`--stage ${name}: resources/stages.yml has ${known.join(' and ')}`);
  const stack = `qurable-${name}`;
  const { Stacks = [] } = (await aws('cloudformation', 'describe-stacks', '--stack-name', stack).catch(
    (error: unknown) => {
      if (!(error instanceof AwsRefusal) || !/does not exist/.test(error.message)) throw asWrongUse(error);
      return {};
    },
  )) as { Stacks?: { StackStatus: string; Outputs?: { OutputKey: string; OutputValue: string }[] }[] };
  const [found] = Stacks;
  if (found === undefined) {
    const where = region ?? 'the region that is configured';
    throw new BadInput(`--stage ${name}: nothing of it is in ${where}; is it another --region or AWS_PROFILE?`);
  }
  const outputs = (found.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]);
  return { name, stack, status: found.StackStatus, outputs: Object.fromEntries(outputs) };
}

/**
 * What a stack says about itself under a name.
 * @throws AwsRefusal where it was deployed before there was such an output
 */
export function outputOf({ stack, outputs }: Stage, name: string): string {
  const value = outputs[name];
  if (value === undefined) throw new AwsRefusal('NoOutput', `${stack} has no output ${name}: deploy this version once`);
  return value;
}

/** Without the stack nothing else can be asked. */
function asWrongUse(error: unknown): unknown {
  return error instanceof AwsRefusal ? new BadInput(error.message) : error;
}
