import { afterEach, describe, expect, test } from '@jest/globals';
import pg from 'pg';
import { findDriverFault } from '../../core/db/find-driver-fault.ts';

type Members = Record<string, unknown>;

const query = pg.Query.prototype as unknown as Members;
const connection = pg.Connection.prototype as unknown as Members;
const result = pg.Result.prototype as unknown as Members;

let putBack: () => void = () => {};
afterEach(() => putBack());

function replace(prototype: Members, name: string, descriptor: PropertyDescriptor | null): void {
  const before = Object.getOwnPropertyDescriptor(prototype, name);
  if (descriptor === null) delete prototype[name];
  else Object.defineProperty(prototype, name, { ...descriptor, configurable: true });
  putBack = () => {
    delete prototype[name];
    if (before !== undefined) Object.defineProperty(prototype, name, before);
  };
}

const methods: [string, string, Members][] = [
  ...['prepare', 'handleRowDescription', 'handleDataRow', 'handleCommandComplete', 'handleReadyForQuery'].map(
    (name): [string, string, Members] => ['query', name, query],
  ),
  ...['_send', 'sync', 'parse', 'bind', 'describe', 'execute'].map((name): [string, string, Members] => [
    'connection',
    name,
    connection,
  ]),
];

/** Fields that the driver's constructors set. */
const fields: [string, string, Members][] = [
  ['connection', 'stream', connection],
  ['connection', 'parsedStatements', connection],
  ['connection', 'submittedNamedStatements', connection],
  ['query', '_result', query],
  ['result', '_types', result],
];

describe('the driver as it is installed', () => {
  test('is as statement groups need it', () => {
    expect(findDriverFault()).toBeNull();
  });
});

describe('a driver that has changed is found out', () => {
  test.each(methods)('without its %s’s method %s', (_of, name, prototype) => {
    replace(prototype, name, null);
    expect(findDriverFault()).toMatch(name);
  });

  test.each(methods)('with another number of arguments of its %s’s method %s', (_of, name, prototype) => {
    const method = prototype[name] as (...all: unknown[]) => unknown;
    replace(prototype, name, {
      value(this: unknown, ..._all: unknown[]) {
        return method.apply(this, _all);
      },
    });
    Object.defineProperty(prototype[name], 'length', { value: method.length + 1 });
    expect(findDriverFault()).toMatch(name);
  });

  test.each(fields)('without its %s’s field %s', (_of, name, prototype) => {
    replace(prototype, name, { get: () => undefined, set: () => {} });
    expect(findDriverFault()).not.toBeNull();
  });

  test('with a message more for each statement', () => {
    const prepare = query.prepare as (wire: { flush(): void; _send(bytes: Buffer): void }) => void;
    replace(query, 'prepare', {
      value(this: unknown, wire: { flush(): void; _send(bytes: Buffer): void }) {
        prepare.call(this, wire);
        wire._send(Buffer.from('H\0\0\0\x04', 'latin1'));
      },
    });
    expect(findDriverFault()).toBe('a group is not written as it should be');
  });

  test('with a client that keeps its types to itself', () => {
    replace(pg.Client.prototype as unknown as Members, 'query', { value: () => {} });
    expect(findDriverFault()).toBe('rows are not taken in as they should be');
  });
});
