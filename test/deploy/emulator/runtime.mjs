// What Lambda's Node runtime does, for one event: finds the handler, gives it event and context, hands on its answer.
import { existsSync, writeSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { extname, join } from 'node:path';
import { pathToFileURL } from 'node:url';

const answerTo = Number(process.argv[2]);
let started = performance.now();
const timeoutMillis = Number(process.env.EMULATOR_TIMEOUT_SECONDS) * 1000;
const requestId = process.env.EMULATOR_REQUEST_ID;
moveClock(Number(process.env.EMULATOR_CLOCK_OFFSET_MILLIS));
// Each event has a process of its own, and the SDK is large: what one has compiled the next need not.
if (process.env.EMULATOR_COMPILE_CACHE) enableCompileCache(process.env.EMULATOR_COMPILE_CACHE);
for (const name of Object.keys(process.env)) if (name.startsWith('EMULATOR_')) delete process.env[name];

/** Tests choose what day it is; nothing else of time changes. */
function moveClock(offset) {
  if (offset === 0) return;
  const RealDate = Date;
  const now = () => RealDate.now() + offset;
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

function end(answer, code) {
  writeSync(answerTo, JSON.stringify(answer ?? null));
  process.exit(code);
}

try {
  const chunks = [];
  for await (const chunk of process.stdin) chunks.push(chunk);
  const event = JSON.parse(Buffer.concat(chunks).toString() || '{}');
  const handler = await findHandler();
  const context = {
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
  // As in Lambda: what it took to load the function is not of its time.
  started = performance.now();
  end(await handler(event, context), 0);
} catch (error) {
  console.error(error);
  end({ errorType: error.name, errorMessage: error.message, trace: String(error.stack).split('\n') }, 1);
}
