import { createVerifier } from 'fast-jwt';

/**
 * The check of one key's signatures, with the one algorithm that the key is for. Gives the payload, and throws where the
 * signature is not good. Times and other claims are checked in one place for all keys, so the library's own checks of
 * them are off.
 */
export function signatureVerifier(key: string, algorithm: 'HS256' | 'RS256' | 'ES256' | 'EdDSA') {
  const verify = createVerifier({ key, algorithms: [algorithm], ignoreExpiration: true, ignoreNotBefore: true });
  return (token: string): unknown => verify(token);
}
