import { isIP } from 'node:net';
import { isAllowedAddress, isLoopbackAddress } from './public-address.ts';

/** Names that mean this machine or a network that only it can see, whatever a resolver says. */
const innerName = /(^|\.)(localhost|local|localdomain|internal|intranet|lan|home|corp|private|home\.arpa)$/;
const urlMaxChars = 2_048;

/**
 * What is wrong with an address to send to, as the rest of a sentence; null: nothing. A name is not resolved: where it
 * leads is looked at each time that something is sent there (open-connector.ts).
 * @param allowLoopback whether receivers on this machine are allowed, over plain HTTP too
 */
export function targetUrlProblem(text: string, allowLoopback: boolean): string | null {
  if (text.length > urlMaxChars || !URL.canParse(text))
    return `must be an https:// URL of ${urlMaxChars} characters at most`;
  const url = new URL(text);
  // The URL's own reading of it: every spelling of an address is the address by now.
  const host = hostOf(url);
  const isOwn = isLoopbackAddress(host) || host === 'localhost';
  if (url.protocol !== 'https:' && !(url.protocol === 'http:' && allowLoopback && isOwn)) {
    return 'must be an https:// URL';
  }
  if (url.username !== '' || url.password !== '') return 'must hold no user name and no password';
  if (url.hash !== '') return 'must have no fragment';
  if (allowLoopback && isOwn) return null;
  const isInner = isIP(host) === 0 ? innerName.test(host) || !host.includes('.') : !isAllowedAddress(host, false);
  return isInner ? 'must lead to a public address: no private, local or reserved one' : null;
}

/** The host of a URL, without the brackets of an IPv6 address and a name's last dot. */
export function hostOf({ hostname }: URL): string {
  return hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
}
