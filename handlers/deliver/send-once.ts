import type { OutboundAnswer, OutboundRequest, Sender } from '../../core/index.ts';

/**
 * Sends a request on a connection of its own, and closes it. A connection that is kept would sleep with the function's
 * process, and the receiver has long closed it when that wakes for another request.
 */
export async function sendOnce(open: () => Sender, request: OutboundRequest): Promise<OutboundAnswer> {
  const sender = open();
  try {
    return await sender.send(request);
  } finally {
    await sender.close();
  }
}
