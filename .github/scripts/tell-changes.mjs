// A change set as Markdown, what loses data first and loudest. Names of properties are told, and not their values, which may be
// an address or a name that not every reader of a pull request should have.
//   node tell-changes.mjs STAGE      the answer of describe-change-set is on standard input
import { text } from 'node:stream/consumers';

/** What holds something that a new one would not have. */
const holders = {
  'AWS::RDS::DBInstance': 'data',
  'AWS::ElastiCache::ReplicationGroup': 'counters and hints',
  'AWS::SecretsManager::Secret': 'a secret',
  'AWS::KMS::Key': 'what everything encrypted is read with',
  'AWS::S3::Bucket': 'objects',
  'AWS::Logs::LogGroup': 'logs',
  'AWS::SQS::Queue': 'calls that failed',
};
const order = ['replaced', 'removed', 'perhaps replaced', 'changed', 'added'];
const nothing = /didn't contain changes|No updates are to be performed/;

const stage = process.argv[2];
const set = JSON.parse(await text(process.stdin));
if (set.Status === 'FAILED' && !nothing.test(set.StatusReason)) {
  console.error(`CloudFormation refuses: ${set.StatusReason}`);
  process.exit(1);
}
const rows = (set.Changes ?? [])
  .map(({ ResourceChange }) => rowOf(ResourceChange))
  .sort((one, other) => order.indexOf(one.verb) - order.indexOf(other.verb) || one.name.localeCompare(other.name));
console.log([`## ${stage}`, '', ...told(rows)].join('\n'));
for (const row of rows.filter(isLoss)) {
  // GitHub shows it beside the run as well.
  console.error(`::warning title=${stage}: ${row.name} would be ${row.verb}::${row.type} holds ${holders[row.type]}`);
}

function told(rows) {
  if (rows.length === 0) return ['Nothing would change.'];
  const counts = order.flatMap((verb) => {
    const count = rows.filter((row) => row.verb === verb).length;
    return count === 0 ? [] : [`${count} ${verb}`];
  });
  const losses = rows.filter(isLoss);
  const warning = losses.flatMap((row) => [
    `> **${row.name} would be ${row.verb.toUpperCase()}**, which holds ${holders[row.type]}. ${row.fate}`,
  ]);
  const table = rows.map((row) => `| ${row.verb} | ${row.name} | ${row.type} | ${row.because} |`);
  return [
    `${counts.join(', ')}, with the parameters of the deployment that runs.`,
    '',
    ...(losses.length === 0 ? [] : ['> [!CAUTION]', ...warning, '']),
    '| | resource | type | because of |',
    '|---|---|---|---|',
    ...table,
  ];
}

function rowOf(change) {
  const details = (change.Details ?? []).map(({ Target }) => Target);
  return {
    verb: verbOf(change),
    name: change.LogicalResourceId,
    type: change.ResourceType,
    because: [...new Set(details.map(({ Attribute, Name }) => Name ?? Attribute))].join(', '),
    fate: fateOf(change.PolicyAction),
  };
}

function verbOf({ Action, Replacement }) {
  if (Action === 'Add' || Action === 'Import') return 'added';
  if (Action === 'Remove') return 'removed';
  if (Replacement === 'True') return 'replaced';
  return Replacement === 'Conditional' ? 'perhaps replaced' : 'changed';
}

function isLoss({ verb, type }) {
  return type in holders && ['replaced', 'removed', 'perhaps replaced'].includes(verb);
}

/** What becomes of the one that is there now. */
function fateOf(policy = '') {
  if (policy.endsWith('Retain')) return 'The one that is there stays, outside of the stack.';
  if (policy.endsWith('Snapshot')) return 'A snapshot of the one that is there stays.';
  return 'The one that is there is deleted.';
}
