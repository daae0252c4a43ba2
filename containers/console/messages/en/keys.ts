/** API keys. */
export const keys = {
  title: 'API keys',
  intro:
    'Each program, and each person who signs in with a key, has one of its own. A key that is revoked ends within five seconds, with its sessions.',
  empty: 'No keys yet',
  emptyHint: 'Make one for each program: it is then easy to end one of them.',
  name: { label: 'Name', help: 'Who or what uses it, such as “Checkout”.' },
  role: {
    label: 'Role',
    help: 'Redeemer: looks codes up and redeems them. Operator: also makes, gives and voids them. Admin: everything.',
  },
  expiresAt: { label: 'Ends on', help: 'At the end of that day, on your clock. Left empty, it has no end.' },
  make: 'Make a key',
  newTitle: 'Make a key',
  madeTitle: 'This is the key',
  madeText: 'Copy it now: it is shown this once, and nobody can show it again.',
  done: 'I have copied it',
  createdAt: 'Made',
  state: 'State',
  live: 'In use',
  ended: 'Ended',
  actions: 'Actions',
  revoke: 'Revoke',
  revokeOf: (name: string) => `Revoke ${name}`,
  revokeTitle: 'Revoke this key?',
  revokeText: 'Whatever uses it is refused from now on. This can’t be undone; another key can be made.',
  revokedNow: 'The key is revoked.',
};
