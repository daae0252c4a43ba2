// What preview.sh wants to know of a stack, read from the answer of describe-stacks on standard input.
//   node read-stack.mjs status|bucket|region|parameters
import { text } from 'node:stream/consumers';

const [stack] = JSON.parse(await text(process.stdin)).Stacks;
const output = (name) => (stack.Outputs ?? []).find(({ OutputKey }) => OutputKey === name)?.OutputValue;

const answers = {
  status: () => stack.StackStatus,
  bucket: () => output('ServerlessDeploymentBucketName') ?? '',
  region: () => stack.StackId.split(':')[3],
  parameters: () =>
    Object.entries(JSON.parse(output('GivenParameters') ?? '{}'))
      .map(([name, value]) => `--param=${name}=${asGiven(value)}`)
      .join('\n'),
};

/** A value as the command line takes it. */
function asGiven(value) {
  if (Array.isArray(value)) return value.join(',');
  return value === '' ? 'none' : String(value);
}

const answer = answers[process.argv[2]]();
if (answer !== '') console.log(answer);
