import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BenchDatabase } from '../database/bench-database.ts';
import { measure } from '../measure.ts';
import type { BenchServer } from '../servers/start-server.ts';
import { runInTurns, type Scenario, type ScenarioResult } from './scenario.ts';
import { mixOf, mostMixedPerSecond, type SpeedStage } from './speed.ts';

/** One request in a hundred is traced: ten times what a stage traces by itself. */
const traceOneIn = 100;

/**
 * The day's mix as fast as it will go, in turns by a process that traces one request in a hundred and by one that
 * traces nothing. Spans go to a receiver on this machine, which takes them and throws them away.
 */
export async function measureTracing(
  { stage, plan, supplies }: SpeedStage,
  database: BenchDatabase,
  tell: (line: string) => void,
): Promise<ScenarioResult[]> {
  const sink = createServer((request, response) => {
    request.resume();
    request.on('end', () => response.writeHead(200).end());
  });
  sink.listen(0, '127.0.0.1');
  await once(sink, 'listening');
  const endpoint = `http://127.0.0.1:${(sink.address() as AddressInfo).port}`;
  const start = (environment: Record<string, string>) =>
    stage.startServer({ kind: 'api', environment: { DATABASE_URL: database.url, ...environment } });
  const untraced = await start({});
  const traced = await start({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, TRACE_ONE_IN: String(traceOneIn) });
  const run = (server: BenchServer) =>
    measure(stage, {
      load: mixOf(supplies, plan.seconds * mostMixedPerSecond),
      servers: [server],
      seconds: plan.seconds,
      connections: plan.connections,
      behind: 'postgres',
    });
  const part = 'tracing';
  const scenarios: Scenario[] = [
    { name: 'untraced mix', part, measure: () => run(untraced) },
    { name: 'traced mix', part, measure: () => run(traced) },
  ];
  try {
    for (const scenario of scenarios) await scenario.measure(-1);
    return await runInTurns(scenarios, plan.repeats, tell);
  } finally {
    await Promise.all([untraced.stop(), traced.stop()]);
    sink.closeAllConnections();
    sink.close();
  }
}
