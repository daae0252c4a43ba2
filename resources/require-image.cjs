// Before a deployment begins: is the image that its service would run in the registry? ECS finds out only after the
// database has been made, and then takes a quarter of an hour to give up.
const { createRequire } = require('node:module');

// The framework brings the client; this project does not depend on it by itself.
const { DescribeImagesCommand, ECRClient } = createRequire(require.resolve('serverless/package.json'))(
  '@aws-sdk/client-ecr',
);

const repositoryName = 'qurable-api';
const notThere = ['ImageNotFoundException', 'RepositoryNotFoundException'];

class RequireImage {
  constructor(serverless, _options, { log }) {
    this.serverless = serverless;
    this.log = log;
    this.provider = serverless.getProvider('aws');
    this.hooks = {
      'after:package:finalize': () => this.warnOfPlainHttp(),
      'before:deploy:deploy': () => this.requireImage(),
    };
  }

  async requireImage() {
    const { imageTag } = this.serverless.service.custom.derived;
    const registry = new ECRClient(await this.provider.getAwsSdkV3Config());
    try {
      await registry.send(new DescribeImagesCommand({ repositoryName, imageIds: [{ imageTag }] }));
    } catch (error) {
      if (!notThere.includes(error.name)) throw error;
      throw new this.serverless.classes.Error(
        `The registry has no image ${repositoryName}:${imageTag}, which this deployment runs. docs/deployment.md, "From an empty account", makes it in two commands; imageTag names another.`,
      );
    }
  }

  warnOfPlainHttp() {
    if (this.serverless.service.custom.derived.entrance !== 'http') return;
    this.log.warning('Neither a domain nor a certificate is set: plain HTTP, for trials only.');
  }
}

module.exports = RequireImage;
