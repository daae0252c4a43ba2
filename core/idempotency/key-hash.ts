import { hash } from 'node:crypto';
import type { Caller } from '../caller.ts';

/** An idempotency key as the database knows it, with what the request said. */
export interface KeyedRequest {
  /** 16 bytes of SHA-256 over the scope and the key, as a UUID's text: the shortest type PostgreSQL has for them. */
  keyHash: string;
  /** 48 bits of SHA-256 over path and canonical body; another request under the same key differs in it. */
  fingerprint: number;
}

/**
 * Names a request by its Idempotency-Key. The scope is the tenant (whose id is part of the table's key) and, for a
 * customer, its own id: two customers may use the same key.
 * @param path the route with its identifiers filled in and normalised, so that two spellings of one code are one path
 * @param body the request's fields, whose order does not matter; undefined where withContent says what they are
 */
export function keyedRequest(caller: Caller, key: string, path: string, body: unknown): KeyedRequest {
  const scope = caller.customerId === null ? 'tenant' : `customer ${caller.customerId}`;
  return { keyHash: keyHash(scope, key), fingerprint: fingerprintOf(path, canonicalJson(body)) };
}

/**
 * The same key for a request whose body is a stream, by a digest of what that held, which is known only once it has
 * been read. A hash of both texts is stored with each key: if either were written in another way, repeats of earlier
 * requests would not match.
 */
export function withContent({ keyHash }: KeyedRequest, path: string, content: string): KeyedRequest {
  return { keyHash, fingerprint: fingerprintOf(path, canonicalJson(content)) };
}

/** The key of one item of a batch that has one key for the whole: derived, so that items have effects of their own. */
export function derivedKeyHash(whole: KeyedRequest, index: number): string {
  return keyHash(`item ${index}`, whole.keyHash);
}

/** 48 bits that tell one request from another. */
function fingerprintOf(path: string, content: string): number {
  return Number.parseInt(hash('sha256', `${path}\n${content}`, 'hex').slice(0, 12), 16);
}

function keyHash(scope: string, key: string): string {
  const hex = hash('sha256', `${scope}\n${key}`, 'hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20, 32)}`;
}

/** JSON with every object's keys in order; undefined fields are left out, as in JSON.stringify. */
function canonicalJson(value: unknown): string {
  return JSON.stringify(inOrder(value)) ?? '';
}

function inOrder(value: unknown): unknown {
  if (value === null || typeof value !== 'object') return value;
  if (Array.isArray(value)) return value.map(inOrder);
  // A Date, say, has a text of its own.
  if ('toJSON' in value) return value;
  // Without a prototype, so that a field called __proto__ is one like any other.
  const ordered: Record<string, unknown> = Object.create(null);
  for (const name of Object.keys(value).sort()) ordered[name] = inOrder((value as Record<string, unknown>)[name]);
  return ordered;
}
