import type { Call, Reply } from './calls.ts';
import { erase, generate, patch, upload, voidDeck } from './model-books.ts';
import { draw, drawBatch, forbidden, take } from './model-deals.ts';
import { age, events, list, read, redemptions, validate } from './model-looks.ts';
import { countsOf, fresh, type ModelState } from './model-state.ts';
import { forceUnlock, lock, redeem, reverse, transfer, unlock, voidCode } from './model-uses.ts';

/**
 * Carries a call out on the model, which it changes, and returns the answer that the contract demands. What the model
 * can't know (which of the codes left was drawn, ids, moments) it takes from the answer that was given, once it has
 * seen that it is possible; where it is not, what is returned says what would be.
 */
export function answerOf(state: ModelState, call: Call, given: Reply): Reply {
  const seen = 'body' in given ? given.body : {};
  switch (call.op) {
    case 'patch':
      return patch(state, call, seen);
    case 'generate':
      return generate(state, call, given);
    case 'upload':
      return upload(state, call, seen);
    case 'voidDeck':
      return voidDeck(state, call, seen);
    case 'erase':
      return erase(state, call.userId);
    case 'draw':
      return once(state, call, () => draw(state, call, seen), forbidden(state, call));
    case 'drawBatch':
      return once(state, call, () => drawBatch(state, call, seen));
    case 'take':
      return once(state, call, () => take(state, call, given));
    case 'void':
      return once(state, call, () => voidCode(state, call));
    case 'transfer':
      return once(state, call, () => transfer(state, call, given));
    case 'reverse':
      return once(state, call, () => reverse(state, call));
    case 'lock':
      return once(state, call, () => lock(state, call, given));
    case 'unlock':
      return once(state, call, () => unlock(state, call, given));
    case 'forceUnlock':
      return once(state, call, () => forceUnlock(state, call, given));
    case 'redeem':
      return once(state, call, () => redeem(state, call, given));
    case 'validate':
      return validate(state, call, given);
    case 'read':
      return read(state, call, given);
    case 'events':
      return events(state, call.code);
    case 'list':
      return list(state, call);
    case 'redemptions':
      return redemptions(state, call, seen);
    case 'count':
      return fresh(countsOf(state, call.book));
    case 'age':
      return age(state, call, seen);
  }
}

/** A repeat gets the first success again; another request under its key is refused; a refusal leaves the key free. */
function once(state: ModelState, call: Call & { key: string | null }, act: () => Reply, before?: Reply | null): Reply {
  if (call.key === null) return before ?? act();
  // However a code is typed, it is the same request.
  const { key, typed: _typed, ...rest } = { typed: null, ...call };
  const scope = 'by' in call && call.by === 'customer' ? `customer ${call.userId}` : 'tenant';
  const name = `${scope} ${key}`;
  const request = JSON.stringify(rest);
  const known = state.keys[name];
  if (known !== undefined && known.request === request) return { body: { ...known.body }, replayed: true };
  if (before) return before;
  if (known !== undefined) return { refused: 'idempotency-key-reused' };
  const reply = act();
  if ('body' in reply) state.keys[name] = { request, body: { ...reply.body } };
  return reply;
}
