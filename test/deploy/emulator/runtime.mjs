// What Lambda's Node runtime does: finds the handler, gives it one event after the other, each with its context, and
// hands on its answers. An event is a line of standard input, and its answer a line to the file that the argument names.
import { existsSync, writeSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { extname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';

const answerTo = Number(process.argv[2]);
const timeoutMillis = Number(process.env.EMULATOR_TIMEOUT_SECONDS) * 1000;
let clockOffsetMillis = 0;
moveClock();
// Many such processes come and go, and the SDK is large: what one has compiled the next need not.
if (process.env.EMULATOR_COMPILE_CACHE) enableCompileCache(process.env.EMULATOR_COMPILE_CACHE);
for (const name of Object.keys(process.env)) if (name.startsWith('EMULATOR_')) delete process.env[name];

/** Tests choose what day it is, for each event; nothing else of time changes. */
function moveClock() {
  const RealDate = Date;
  const now = () => RealDate.now() + clockOffsetMillis;
  globalThis.Date = class extends RealDate {
    constructor(...args) {
      if (args.length === 0) super(now());
      else super(...args);
    }
    static now() {
      return now();
    }
  };
}

async function findHandler() {
  const dot = process.env._HANDLER.lastIndexOf('.');
  const [file, name] = [process.env._HANDLER.slice(0, dot), process.env._HANDLER.slice(dot + 1)];
  for (const extension of ['', '.js', '.mjs', '.cjs']) {
    const path = join(process.env.LAMBDA_TASK_ROOT, file + extension);
    if (extname(path) === '' || !existsSync(path)) continue;
    const module = await import(pathToFileURL(path).href);
    const handler = module[name] ?? module.default?.[name];
    if (typeof handler === 'function') return handler;
  }
  throw Object.assign(new Error(`${process.env._HANDLER} is not a function`), { name: 'Runtime.HandlerNotFound' });
}

function contextOf(requestId) {
  // As in Lambda: what it took to load the function is not of its time.
  const started = performance.now();
  return {
    callbackWaitsForEmptyEventLoop: true,
    awsRequestId: requestId,
    functionName: process.env.AWS_LAMBDA_FUNCTION_NAME,
    functionVersion: process.env.AWS_LAMBDA_FUNCTION_VERSION,
    invokedFunctionArn: `arn:aws:lambda:${process.env.AWS_REGION}:123456789012:function:${process.env.AWS_LAMBDA_FUNCTION_NAME}`,
    memoryLimitInMB: process.env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE,
    logGroupName: process.env.AWS_LAMBDA_LOG_GROUP_NAME,
    logStreamName: process.env.AWS_LAMBDA_LOG_STREAM_NAME,
    getRemainingTimeInMillis: () => timeoutMillis - (performance.now() - started),
  };
}

function answer(failed, value) {
  writeSync(answerTo, `${JSON.stringify({ failed, answer: value ?? null })}\n`);
}

let handler;
for await (const line of createInterface({ input: process.stdin })) {
  const asked = JSON.parse(line);
  clockOffsetMillis = asked.clockOffsetMillis;
  const isFirst = handler === undefined;
  try {
    handler ??= await findHandler();
    answer(false, await handler(asked.event, contextOf(asked.requestId)));
  } catch (error) {
    console.error(error);
    answer(true, { errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') });
  }
  // Else it would be kept only at an end of the process's own.
  if (isFirst) flushCompileCache();
}
process.exit(0);
