// Asked before a deployment touches anything, because AWS would find out after the database has been made, or would do what
// nobody meant: is the image there, may so many tasks run, is a parameter forgotten, is the database's copy upgraded first?
// Also notes in the stack which deployment it is, by which .github/scripts/deployments.sh finds the way back.
const { createRequire } = require('node:module');

const requireOfFramework = createRequire(require.resolve('serverless/package.json'));
// The framework brings these clients.
const { DescribeImagesCommand, ECRClient } = requireOfFramework('@aws-sdk/client-ecr');
const { CloudFormationClient, DescribeStacksCommand } = requireOfFramework('@aws-sdk/client-cloudformation');

const repositoryName = 'qurable-api';
const notThere = ['ImageNotFoundException', 'RepositoryNotFoundException'];
/** Fargate On-Demand vCPU resource count: https://docs.aws.amazon.com/general/latest/gr/ecs-service.html */
const fargateQuota = { ServiceCode: 'fargate', QuotaCode: 'L-3032A538' };

class BeforeDeployment {
  constructor(serverless, options, { log }) {
    this.serverless = serverless;
    this.options = options;
    this.log = log;
    this.provider = serverless.getProvider('aws');
    this.hooks = {
      'after:package:finalize': () => this.warn(),
      'before:package:finalize': () => this.noteDeployment(),
      // Before, the template has the framework's resources only.
      'after:aws:package:finalize:mergeCustomProviderResources': () => this.limitRoles(),
      'before:deploy:deploy': () => this.check(),
    };
  }

  get derived() {
    return this.serverless.service.custom.derived;
  }

  /** Every role has the boundary, those of this project and those that the framework may add. */
  limitRoles() {
    const { permissionsBoundaryArn } = this.derived.checked;
    if (permissionsBoundaryArn === '') return;
    const { Resources } = this.serverless.service.provider.compiledCloudFormationTemplate;
    for (const { Type, Properties } of Object.values(Resources)) {
      if (Type === 'AWS::IAM::Role') Properties.PermissionsBoundary = permissionsBoundaryArn;
    }
  }

  /** The stack says which deployment it is, of which commit, and what was given on the command line for it. */
  noteDeployment() {
    const { provider, package: packaged } = this.serverless.service;
    const outputs = provider.compiledCloudFormationTemplate.Outputs;
    outputs.Deployment = { Value: timestampOf(packaged.artifactDirectoryName) };
    outputs.Commit = { Value: process.env.GITHUB_SHA || 'by hand' };
    outputs.GivenParameters = { Value: JSON.stringify(this.givenParameters()) };
  }

  /** The values of the parameters that stand on the command line, by name. */
  givenParameters() {
    const names = [this.options.param ?? []].flat().map((parameter) => parameter.split('=', 1)[0]);
    return Object.fromEntries(names.map((name) => [name, this.derived.checked[name]]));
  }

  async check() {
    const config = await this.provider.getAwsSdkV3Config();
    await this.requireImage(config);
    const outputs = await this.outputsOfStack(config);
    this.refuseForgotten(outputs.GivenParameters);
    await this.requireUpgradedReplica(config);
    await this.warnOfQuota(config);
  }

  async requireImage(config) {
    const { imageTag } = this.derived;
    try {
      await new ECRClient(config).send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] }));
    } catch (error) {
      if (!notThere.includes(error.name)) throw error;
      this.refuse(
        `The registry has no image ${repositoryName}:${imageTag}, which this deployment runs. docs/deployment.md, "From an empty account", makes it in two commands; imageTag names another.`,
      );
    }
  }

  /** What the deployment before has noted; nothing where there was none. */
  async outputsOfStack(config) {
    const StackName = this.provider.naming.getStackName();
    try {
      const { Stacks } = await new CloudFormationClient(config).send(new DescribeStacksCommand({ StackName }));
      return Object.fromEntries(
        (Stacks[0].Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey, OutputValue]),
      );
    } catch (error) {
      if (/does not exist/.test(error.message)) return {};
      throw error;
    }
  }

  /**
   * A flag that was given the last time and is missing now would take the certificate, the alarms' address or the code
   * secret away without a word. Said again, even as empty, it is meant.
   */
  refuseForgotten(noted) {
    if (noted === undefined) return;
    const given = this.givenParameters();
    for (const [name, before] of Object.entries(JSON.parse(noted))) {
      const now = this.derived.checked[name];
      if (name in given || now === undefined || JSON.stringify(now) === JSON.stringify(before)) continue;
      this.refuse(
        `The deployment before this one was given ${name}=${asGiven(before)}, and this one is not, which would change it to ${JSON.stringify(now)}. Give --param="${name}=${asGiven(before)}" again, or write it into resources/stages.yml; --param="${name}=${asGiven(now)}" says that the change is meant.`,
      );
    }
  }

  /** RDS upgrades a copy before its source, and refuses the other way round in the middle of the deployment. */
  async requireUpgradedReplica(config) {
    if (this.derived.replica === 'none') return;
    const { RDSClient, DescribeDBInstancesCommand } = require('@aws-sdk/client-rds');
    const wanted = minorOf(this.derived.checked.databaseVersion);
    const stage = this.provider.getStage();
    const { DBInstances } = await new RDSClient(config).send(new DescribeDBInstancesCommand({}));
    const versionOf = (name) =>
      DBInstances.find(({ DBInstanceIdentifier }) => DBInstanceIdentifier === name)?.EngineVersion;
    const [database, replica] = [versionOf(`qurable-${stage}`), versionOf(`qurable-${stage}-replica`)];
    if (database === undefined || replica === undefined) return;
    if (minorOf(database) >= wanted || minorOf(replica) >= wanted) return;
    const to = this.derived.checked.databaseVersion;
    this.refuse(
      `databaseVersion ${to}: RDS upgrades the copy first, which has ${replica}. Deploy with databaseVersion ${database} and databaseReplicaVersion ${to}, then with databaseVersion ${to} alone.`,
    );
  }

  /** A new account may run six virtual processors: an event would end at its twelfth task, whatever the calendar says. */
  async warnOfQuota(config) {
    const { eventMaxTasks, taskCpu } = this.derived.checked;
    // Twice, since a deployment rolls every task beside its successor.
    const needed = (eventMaxTasks * Number(taskCpu) * 2) / 1024;
    try {
      const { GetServiceQuotaCommand, ServiceQuotasClient } = require('@aws-sdk/client-service-quotas');
      const { Quota } = await new ServiceQuotasClient(config).send(new GetServiceQuotaCommand(fargateQuota));
      if (Quota.Value >= needed) return;
      this.log.warning(
        `The account may run ${Quota.Value} Fargate vCPUs, and ${eventMaxTasks} tasks that are being rolled need ${needed}: ask for more, days before an event (docs/deployment.md, "Quotas").`,
      );
    } catch (error) {
      this.log.warning(
        `Whether the account may run the ${needed} Fargate vCPUs of an event can't be told (${error.name}); docs/deployment.md, "Quotas".`,
      );
    }
  }

  warn() {
    const { entrance, checked, past } = this.derived;
    if (entrance === 'http')
      this.log.warning('Neither a domain nor a certificate is set: plain HTTP, for trials only.');
    if (checked.alertEmail === '') this.log.warning('alertEmail is empty: no alarm reaches anybody.');
    for (const name of past) this.log.warning(`The event ${name} is over: is its year right? If so, it can go.`);
  }

  refuse(sentence) {
    throw new this.serverless.classes.Error(sentence);
  }
}

/** A value as the command line takes it. */
function asGiven(value) {
  if (Array.isArray(value)) return value.join(',');
  return value === '' ? 'none' : value;
}

/** `1795830893235-2026-11-28T…Z` or a path that ends so. */
function timestampOf(directory) {
  return /(\d{13})-[^/]*$/.exec(directory)[1];
}

function minorOf(version) {
  return Number(version.split('.')[1]);
}

module.exports = BeforeDeployment;
