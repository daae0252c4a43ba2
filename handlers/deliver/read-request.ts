import type { OutboundRequest } from '../../core/index.ts';

/** What a webhook's request has, and nothing else: no header that could speak to a server in between. */
const headerName = /^(content-type|user-agent|webhook-[a-z-]{1,32})$/;
const headerMaxChars = 1_024;
/** Far above what an event comes to. */
const bodyMaxChars = 1_000_000;

/**
 * Reads what the function was called with. Where the request may lead is the sender's to check.
 * @throws Error that names what is wrong, and no value
 */
export function readRequest(event: unknown): OutboundRequest {
  const { url, headers, body } = (event ?? {}) as Record<string, unknown>;
  if (typeof url !== 'string') throw new Error('url must be a text');
  if (typeof body !== 'string' || body.length > bodyMaxChars)
    throw new Error(`body must be a text of ${bodyMaxChars} characters at most`);
  if (typeof headers !== 'object' || headers === null || !Object.entries(headers).every(isHeader))
    throw new Error('headers must be those of a webhook, each a text');
  return { url, headers: headers as Record<string, string>, body };
}

function isHeader([name, value]: [string, unknown]): boolean {
  return headerName.test(name) && typeof value === 'string' && value.length <= headerMaxChars;
}
