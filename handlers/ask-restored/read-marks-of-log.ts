import { type CloudWatchLogsClient, paginateFilterLogEvents } from '@aws-sdk/client-cloudwatch-logs';
import { type FurthestMarks, readDeckMarks } from '../../core/index.ts';

/** A task that deals nothing writes a line a minute, so a stretch of this length has lines of all tasks. */
const beforeMillis = 15 * 60_000;
const afterMillis = 10 * 60_000;

/** Reads the marks that tasks wrote around a moment, given in milliseconds since the Unix epoch. */
export function readMarksOfLog(
  logs: CloudWatchLogsClient,
  logGroupName: string,
  moment: number,
): Promise<FurthestMarks> {
  return readDeckMarks(linesOf(logs, logGroupName, moment));
}

async function* linesOf(client: CloudWatchLogsClient, logGroupName: string, moment: number): AsyncGenerator<string> {
  const stretch = { startTime: moment - beforeMillis, endTime: moment + afterMillis };
  const request = { logGroupName, filterPattern: '"deck marks"', ...stretch };
  for await (const { events = [] } of paginateFilterLogEvents({ client }, request))
    for (const { message } of events) if (message !== undefined) yield message;
}
