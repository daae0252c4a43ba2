import ipaddr from 'ipaddr.js';

/** Everything that is handed out to networks lies in here (RFC 4291); the rest is special or not in use. */
const globalUnicast: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2000::'), 3];
/** Of that, what is for protocols: among them Teredo, ORCHID and benchmarking (RFC 2928). */
const protocols: [ipaddr.IPv6, number] = [ipaddr.IPv6.parse('2001::'), 23];

/** A connection was refused for the address that it would have led to. */
export class ForbiddenAddressError extends Error {
  override name = 'ForbiddenAddressError';
}

/**
 * Whether an address is one of the internet's. No address of a machine itself, of a private network, of a link (where
 * clouds keep their metadata), of a group, or one that holds an IPv4 address (mapped, compatible, NAT64, 6to4, Teredo):
 * what such a one leads to is another's to decide. What this does not know is not public.
 * @param address as sockets write it; anything else is not public
 */
export function isPublicAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address).range() === 'unicast';
  if (!ipaddr.IPv6.isValid(address) || address.includes('%')) return false;
  const parsed = ipaddr.IPv6.parse(address);
  return parsed.range() === 'unicast' && parsed.match(globalUnicast) && !parsed.match(protocols);
}

/** Whether an address is this machine's own, for receivers in development: 127.0.0.0/8 and ::1 alone. */
export function isLoopbackAddress(address: string): boolean {
  if (ipaddr.IPv4.isValidFourPartDecimal(address)) return ipaddr.IPv4.parse(address).range() === 'loopback';
  return ipaddr.IPv6.isValid(address) && !address.includes('%') && ipaddr.IPv6.parse(address).range() === 'loopback';
}

/** Whether requests may go to an address. */
export function isAllowedAddress(address: string, allowLoopback: boolean): boolean {
  return isPublicAddress(address) || (allowLoopback && isLoopbackAddress(address));
}
