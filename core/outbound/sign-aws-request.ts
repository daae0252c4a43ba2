import { createHash, createHmac } from 'node:crypto';

/** Temporary credentials of a role have a token, those of a user have none. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string | undefined;
}

/** Who signs, for what, and when. */
export interface AwsSignature {
  credentials: AwsCredentials;
  region: string;
  /** The service's name in signatures, such as `sns`. */
  service: string;
  /** Milliseconds since the Unix epoch; AWS refuses what is more than five minutes off. */
  now: number;
}

/** A request of AWS's API, without its host, which is the URL's. */
export interface AwsRequest {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array;
}

/**
 * Signs a request by Signature Version 4, for the services whose client is not here: a signature is a dozen hashes.
 * Every header is signed.
 * @returns the headers to send, in lower case: those that were given, and those of the signature
 */
export function signAwsRequest(
  { method, url, headers, body }: AwsRequest,
  { credentials, region, service, now }: AwsSignature,
): Record<string, string> {
  const time = new Date(now).toISOString().replace(/\.\d+|[-:]/g, '');
  const day = time.slice(0, 8);
  const all: Record<string, string> = { host: url.host, 'x-amz-date': time };
  if (credentials.sessionToken !== undefined) all['x-amz-security-token'] = credentials.sessionToken;
  for (const [name, value] of Object.entries(headers)) all[name.toLowerCase()] = value.trim().replace(/ +/g, ' ');
  const names = Object.keys(all).sort();
  const canonical = [
    method,
    canonicalPath(url.pathname),
    canonicalQuery(url.searchParams),
    ...names.map((name) => `${name}:${all[name]}`),
    '',
    names.join(';'),
    sha256(body),
  ].join('\n');
  const scope = `${day}/${region}/${service}/aws4_request`;
  const toSign = ['AWS4-HMAC-SHA256', time, scope, sha256(canonical)].join('\n');
  const key = [day, region, service, 'aws4_request'].reduce<Buffer>(
    hmac,
    Buffer.from(`AWS4${credentials.secretAccessKey}`),
  );
  const credential = `Credential=${credentials.accessKeyId}/${scope}`;
  all.authorization = `AWS4-HMAC-SHA256 ${credential}, SignedHeaders=${names.join(';')}, Signature=${hmac(key, toSign).toString('hex')}`;
  return all;
}

/** As it stands in the request, encoded once more: so all services but S3 have it. */
function canonicalPath(path: string): string {
  return path.split('/').map(encode).join('/');
}

function canonicalQuery(query: URLSearchParams): string {
  const pairs = [...query].map(([name, value]) => `${encode(name)}=${encode(value)}`);
  return pairs.sort().join('&');
}

function encode(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`);
}

function sha256(bytes: string | Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest();
}
