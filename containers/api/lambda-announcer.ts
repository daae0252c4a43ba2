import { type Announcer, announceMaxMillis, type Log, type StockNews } from '../../core/index.ts';

/** With the SDK's own timeouts one try could take minutes. What it could not tell is told by a later try. */
const callsMost = 2;

/**
 * Opens an announcer that has a function tell operators (handlers/announce.ts), for a process whose network leads
 * nowhere. The AWS SDK is loaded by this alone. Where the function can't be called, or fails, a line at level error
 * says so, which an alarm counts (resources/logs.yml).
 * @param parts.functionArn its region is the one that is called
 */
export async function openLambdaAnnouncer(parts: { functionArn: string; log: Log }): Promise<Announcer> {
  const { functionArn, log } = parts;
  const { InvokeCommand, LambdaClient } = await import('@aws-sdk/client-lambda');
  const client = new LambdaClient({ region: functionArn.split(':')[3]!, maxAttempts: callsMost });
  const end = new AbortController();

  return {
    async announce(news: StockNews) {
      try {
        const abortSignal = AbortSignal.any([end.signal, AbortSignal.timeout(announceMaxMillis)]);
        const call = new InvokeCommand({ FunctionName: functionArn, Payload: Buffer.from(JSON.stringify(news)) });
        const { FunctionError } = await client.send(call, { abortSignal });
        if (FunctionError !== undefined) throw new AnnounceFailed('the function ended in an error');
      } catch (error) {
        if (!end.signal.aborted) log.error({ reason: (error as Error).name }, 'operators could not be told of a book');
        throw error;
      }
    },
    async close() {
      end.abort();
      client.destroy();
    },
  };
}

class AnnounceFailed extends Error {
  override name = 'AnnounceFailed';
}
