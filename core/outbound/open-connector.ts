import { lookup } from 'node:dns/promises';
import { isIP, type Socket } from 'node:net';
import { buildConnector } from 'undici';
import { ForbiddenAddressError, isAllowedAddress } from './public-address.ts';

/** All addresses of a name, as the machine's resolver knows them. */
export type Resolve = (hostname: string) => Promise<string[]>;

const systemResolve: Resolve = async (hostname) =>
  (await lookup(hostname, { all: true })).map(({ address }) => address);

/**
 * A connector for undici that leads to public addresses alone. A name is resolved once, and the connection goes to an
 * address that was looked at, so nobody can answer otherwise in between; literal addresses are looked at too, for which
 * sockets ask no resolver; and once connected, the other end is looked at again. A name with one address that is
 * not allowed is refused as a whole.
 */
export function openConnector(
  allowLoopback: boolean,
  timeoutMillis: number,
  resolve: Resolve = systemResolve,
): buildConnector.connector {
  const connect = buildConnector({ timeout: timeoutMillis, allowH2: false });
  return (options, callback) => {
    const { hostname } = options;
    const found = isIP(hostname) === 0 ? resolve(hostname) : Promise.resolve([hostname]);
    found.then(chooseAddress).then(
      (address) => {
        // The certificate is held against the name; an address has its own.
        const servername = isIP(hostname) === 0 ? hostname : options.servername;
        connect({ ...options, hostname: address, ...(servername === undefined ? {} : { servername }) }, check);
      },
      (error: Error) => callback(error, null),
    );

    function chooseAddress(addresses: string[]): string {
      if (addresses.length === 0) throw new Error('the name has no address');
      if (!addresses.every((address) => isAllowedAddress(address, allowLoopback))) throw new ForbiddenAddressError();
      // A Lambda function reaches the internet over IPv4 alone.
      return addresses.find((address) => isIP(address) === 4) ?? addresses[0]!;
    }

    function check(...[error, socket]: Parameters<buildConnector.Callback>): void {
      // undici's type says null, and it leaves it out.
      if (error !== null || socket == null) {
        callback(error ?? new Error('no connection was made'), null);
      } else if (!isAllowedAddress(remoteOf(socket), allowLoopback)) {
        socket.destroy();
        callback(new ForbiddenAddressError(), null);
      } else callback(null, socket);
    }
  };
}

function remoteOf({ remoteAddress }: Socket): string {
  return remoteAddress ?? '';
}
