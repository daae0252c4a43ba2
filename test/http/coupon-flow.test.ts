import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestApi, type TestApi } from './support.ts';

let api: TestApi;
beforeAll(async () => {
  api = await startTestApi('flow');
});
afterAll(() => api.close());

test('a code is assigned, locked, redeemed once and given back, and each step is an event', async () => {
  const post = async (path: string, body: object) => (await api.call('POST', path, { body })).body;
  const { id: bookId } = await post('/v1/books', { name: 'Flow', status: 'active', requireLock: true });
  await post(`/v1/books/${bookId}/codes/generate`, { count: 10, pattern: 'FLOW-########' });
  await api.call('POST', `/v1/books/${bookId}/codes`, { body: { codes: ['UPLOADED-1'] } });
  // By name, and before anything is drawn, or it could be what is drawn.
  expect(await post('/v1/coupons/uploaded-1/assign', { userId: 'ben' })).toMatchObject({ code: 'UPLOADED-1', rev: 1 });

  const assigned = await post('/v1/coupons/assign', { bookId, userId: 'ana' });
  expect(assigned).toMatchObject({ status: 'assigned', userId: 'ana' });
  const { code } = assigned;
  const { lockToken } = await post(`/v1/coupons/${code}/lock`, { userId: 'ana' });
  expect(await post(`/v1/coupons/${code}/validate`, { userId: 'ana', lockToken })).toMatchObject({ redeemable: true });
  const { redemption } = await post(`/v1/coupons/${code}/redeem`, { userId: 'ana', lockToken });
  expect(await post(`/v1/coupons/${code}/lock`, { userId: 'ana' })).toMatchObject({ kind: 'code-already-redeemed' });
  await post(`/v1/redemptions/${redemption.id}/reverse`, { reason: 'returned' });

  const events = await api.call('GET', `/v1/coupons/${code}/events`);
  expect(events.body.data).toMatchObject(
    ['assigned', 'locked', 'redeemed', 'reversed'].map((kind, before) => ({ kind, rev: before + 1 })),
  );
  const { body } = await api.call('GET', `/v1/coupons/${code}`);
  expect(body).toMatchObject({ status: 'assigned', redemptions: 0, rev: 4, userId: 'ana' });
});
