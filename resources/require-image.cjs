// Before a deployment begins: is the image that its service would run in the registry? ECS finds out only after the
// database has been made, and then takes a quarter of an hour to give up.
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
    try {
      await this.provider.request('ECR', 'describeImages', {
        repositoryName: 'qurable-api',
        imageIds: [{ imageTag }],
      });
    } catch (error) {
      if (!/ImageNotFound|RepositoryNotFound/.test(`${error.providerErrorCodeExtension} ${error.code} ${error.message}`)) throw error;
      throw new this.serverless.classes.Error(
        `The registry has no image qurable-api:${imageTag}, which this deployment runs. docs/deployment.md, "From an empty account", makes it in two commands; imageTag names another.`,
      );
    }
  }

  warnOfPlainHttp() {
    if (this.serverless.service.custom.derived.entrance !== 'http') return;
    this.log.warning('Neither a domain nor a certificate is set: the API will be served over plain HTTP, for trials only.');
  }
}

module.exports = RequireImage;
