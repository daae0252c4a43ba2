import { BadInput } from '../bad-input.ts';
import { add, compare, divide, type Exact, exact, larger, multiply, nothing, smaller, subtract } from '../exact.ts';
import { gigabytes } from '../load.ts';
import {
  bytesOfAnswer,
  bytesOfFirewallLine,
  bytesOfFlowRecord,
  bytesOfHandshake,
  bytesOfRequest,
  firewallLoggedShare,
  flowRecordsOfConnection,
  flowsWithoutLoadGb,
  hoursOfMonth,
  logBytesOfRequest,
  natGb,
} from '../measured.ts';
import { listOf, objectOf, referredBy, type TemplateResource, textOf } from '../template.ts';
import { logCharges } from './log-charges.ts';
import type { Charge, PriceRule, RuleContext } from './rule.ts';

const million = exact(1_000_000);

/** The balancer by the hour and by the units that the load takes, its addresses, and what goes out through it. */
const ofLoadBalancer: PriceRule = (balancer, context) => {
  if (balancer.properties.Type !== 'application') {
    throw new BadInput(`${balancer.name}: only load balancers of the type application have a price rule`);
  }
  const zones = listOf(balancer, 'Subnets').length;
  const isPublic = balancer.properties.Scheme === 'internet-facing';
  return [
    { service: 'Load balancer', item: 'by the hour', rate: 'alb.hour', quantity: hoursOfMonth },
    { service: 'Load balancer', item: 'units of the load', rate: 'alb.lcu', quantity: loadUnitsOf(context) },
    ...(isPublic ? [addressCharge('of the load balancer', zones), ...outwardCharges(context)] : []),
  ];
};

/** Capacity units: the largest of what new connections, open ones and bytes come to. */
function loadUnitsOf({ demand }: RuleContext): Exact {
  const newPerSecond = divide(demand.connectionsOfMonth, multiply(hoursOfMonth, exact(3600)));
  const byNew = divide(newPerSecond, exact(25));
  // One is open for the minute of its requests and for another until it is closed.
  const byOpen = divide(multiply(newPerSecond, exact(120)), exact(3000));
  const byBytes = divide(gigabytes(demand.requestsOfMonth, add(bytesOfRequest, bytesOfAnswer)), hoursOfMonth);
  return multiply(larger(larger(byNew, byOpen), byBytes), hoursOfMonth);
}

/**
 * Gigabytes at which the rate of what goes out changes, each with the rate up to it. The first hundred are the
 * account's.
 */
const outwardTiers = [
  { upTo: exact(100), rate: null },
  { upTo: exact(10_240), rate: 'transfer.out.10tb' },
  { upTo: exact(51_200), rate: 'transfer.out.50tb' },
  { upTo: exact(153_600), rate: 'transfer.out.150tb' },
  { upTo: null, rate: 'transfer.out.above' },
] as const;

function outwardCharges({ demand }: RuleContext): Charge[] {
  const total = add(
    gigabytes(demand.requestsOfMonth, bytesOfAnswer),
    gigabytes(demand.connectionsOfMonth, bytesOfHandshake),
  );
  let from = nothing;
  const charges: Charge[] = [];
  for (const { upTo, rate } of outwardTiers) {
    const until = upTo === null ? total : smaller(total, upTo);
    const quantity = subtract(until, from);
    if (rate !== null && compare(quantity, nothing) > 0) {
      charges.push({ service: 'Data transfer', item: 'out, beyond the free 100 GB', rate, quantity });
    }
    from = larger(from, until);
  }
  return charges;
}

function addressCharge(item: string, count: number): Charge {
  return { service: 'Public addresses', item, rate: 'vpc.public-ipv4', quantity: multiply(exact(count), hoursOfMonth) };
}

const ofAddress: PriceRule = () => [addressCharge('of NAT gateways', 1)];

/** What has no endpoint goes through it, the log too where there is none for it. */
const ofNat: PriceRule = (_nat, { template, demand }) => {
  const service = 'Endpoints and NAT';
  const count = exact(template.ofType('AWS::EC2::NatGateway').length);
  const logs = template.ofType('AWS::EC2::VPCEndpoint').some(isOfLogs) ? nothing : logGbOf(demand);
  return [
    { service, item: 'NAT gateways', rate: 'nat.hour', quantity: hoursOfMonth },
    { service, item: 'through NAT gateways', rate: 'nat.gb', quantity: divide(add(natGb, logs), count) },
  ];
};

const ofEndpoint: PriceRule = (endpoint, { demand }) => {
  const type = endpoint.properties.VpcEndpointType ?? 'Gateway';
  if (type === 'Gateway') return [];
  if (type !== 'Interface')
    throw new BadInput(`${endpoint.name}: there is no price rule for endpoints of type ${type}`);
  const service = 'Endpoints and NAT';
  const hours = multiply(exact(listOf(endpoint, 'SubnetIds').length), hoursOfMonth);
  const charges: Charge[] = [
    { service, item: 'interface endpoints, each zone', rate: 'endpoint.hour', quantity: hours },
  ];
  if (isOfLogs(endpoint)) {
    charges.push({ service, item: 'log lines through theirs', rate: 'endpoint.gb', quantity: logGbOf(demand) });
  }
  return charges;
};

function isOfLogs({ properties }: TemplateResource): boolean {
  return /\.logs"?\}?$/.test(JSON.stringify(properties.ServiceName));
}

function logGbOf(demand: RuleContext['demand']): Exact {
  return gigabytes(demand.requestsOfMonth, logBytesOfRequest);
}

const ofFlowLog: PriceRule = (flowLog, context) => {
  if (textOf(flowLog, 'LogDestinationType') !== 'cloud-watch-logs') {
    throw new BadInput(`${flowLog.name}: only flow logs to CloudWatch have a price rule`);
  }
  const isAll = textOf(flowLog, 'TrafficType') !== 'REJECT';
  const records = multiply(context.demand.connectionsOfMonth, flowRecordsOfConnection);
  const quantity = isAll
    ? add(flowsWithoutLoadGb.all, gigabytes(records, bytesOfFlowRecord))
    : flowsWithoutLoadGb.rejected;
  return logCharges('flows', quantity, referredBy(flowLog.properties.LogGroupName), context, 'logs.ingest.vended');
};

/** Every request is charged, whatever it asks for and whether a rule looks at it. */
const ofFirewall: PriceRule = (firewall, { demand }) => {
  const service = 'Firewall';
  return [
    { service, item: 'access control list', rate: 'waf.acl', quantity: exact(1) },
    { service, item: 'rules', rate: 'waf.rule', quantity: exact(listOf(firewall, 'Rules').length) },
    { service, item: 'requests', rate: 'waf.million-requests', quantity: divide(demand.requestsOfMonth, million) },
  ];
};

const ofFirewallLog: PriceRule = (logging, context) => {
  const [destination] = listOf(logging, 'LogDestinationConfigs');
  const group = /log-group:\$\{(\w+)\}/.exec(JSON.stringify(objectOf(destination)['Fn::Sub'] ?? destination))?.[1];
  const logged = multiply(context.demand.requestsOfMonth, firewallLoggedShare);
  const quantity = gigabytes(logged, bytesOfFirewallLine);
  return logCharges('refused by the firewall', quantity, group ?? null, context, 'logs.ingest.vended');
};

/** A zone is charged once, however many records of it are here; queries for an alias of a load balancer are free. */
const ofRecord: PriceRule = (record, { template }) => {
  const zone = textOf(record, 'HostedZoneId');
  const first = template.ofType(record.type).find(({ properties }) => properties.HostedZoneId === zone);
  if (!('AliasTarget' in record.properties)) {
    throw new BadInput(`${record.name}: only records that are an alias have a price rule`);
  }
  if (first?.name !== record.name) return [];
  return [{ service: 'Names', item: 'zone of the domain', rate: 'route53.zone', quantity: exact(1) }];
};

/** What the network and the entrance cost, by the types of their resources. */
export const rulesOfNetwork: Record<string, PriceRule> = {
  'AWS::ElasticLoadBalancingV2::LoadBalancer': ofLoadBalancer,
  'AWS::EC2::EIP': ofAddress,
  'AWS::EC2::NatGateway': ofNat,
  'AWS::EC2::VPCEndpoint': ofEndpoint,
  'AWS::EC2::FlowLog': ofFlowLog,
  'AWS::WAFv2::WebACL': ofFirewall,
  'AWS::WAFv2::LoggingConfiguration': ofFirewallLog,
  'AWS::Route53::RecordSet': ofRecord,
};
