import { openSender, systemClock } from '../core/index.ts';
import { readRequest } from './deliver/read-request.ts';
import { sendOnce } from './deliver/send-once.ts';
import { lambdaStack } from './middleware/lambda-stack.ts';

/** Never into itself: a loopback address is the function's runtime, which hands out its credentials. */
const open = () => openSender({ allowLoopback: false, clock: systemClock });

/**
 * Sends one signed request of a webhook, outside of the VPC, and answers what came of it. It knows no secret: the API's
 * task signs. An answer that says no is a result; an error is a fault of the function or of whoever called it.
 */
export const handler = lambdaStack('deliver', (event: unknown) => sendOnce(open, readRequest(event)));
