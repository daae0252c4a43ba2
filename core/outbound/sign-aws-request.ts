import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto';

/** Temporary credentials of a role have a token, those of a user have none. */
export interface AwsCredentials {
  accessKeyId: string;
  secretAccessKey: string;
  sessionToken?: string;
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
 * Signs a request by Signature Version 4, for the services whose client is not here. Every header is signed. The AWS
 * SDK's own signer does it, which is loaded with the first request: most processes sign nothing.
 * @returns the headers to send, in lower case: those that were given, and those of the signature
 */
export async function signAwsRequest(
  { method, url, headers, body }: AwsRequest,
  { credentials, region, service, now }: AwsSignature,
): Promise<Record<string, string>> {
  const { SignatureV4 } = await import('@smithy/signature-v4');
  // S3 alone wants the body's hash as a header.
  const signer = new SignatureV4({ credentials, region, service, sha256: Sha256, applyChecksum: false });
  const given = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]);
  const { protocol, hostname, pathname, searchParams } = url;
  const signed = await signer.sign(
    {
      method,
      protocol,
      hostname,
      path: pathname,
      body,
      query: Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)])),
      headers: { ...Object.fromEntries(given), host: url.host },
    },
    { signingDate: new Date(now) },
  );
  return signed.headers;
}

/** Node's hash, in the form in which the signer takes one; with a secret it is an HMAC. */
class Sha256 {
  readonly #hash: Hash | Hmac;

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    // An ArrayBuffer is a key as well, which Node's types leave out.
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as string);
  }

  update(data: Uint8Array): void {
    this.#hash.update(data);
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest();
  }
}
