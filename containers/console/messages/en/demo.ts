/** The first run: a book to look around in, which is removed with a click. */
export const demo = {
  make: 'Make a demo book',
  making: 'Making it…',
  name: 'Demo: summer campaign',
  description: 'A book to look around in. Nothing of it reaches a customer.',
  noteTitle: 'This is a demo book',
  note: 'It has a thousand codes and is a draft, so nobody can get one. Look at its codes and rules, change what you like, and remove it when you have seen enough.',
  next: [
    'Codes: generate some more, or bring a file with codes of your own.',
    'Rules: change one, and see what the console says it would mean.',
    'Copy a code out of the download and type it into the field at the top.',
  ].join('\n'),
  remove: 'Remove…',
  removeTitle: 'Remove this book',
  removeText: 'The book and its codes are gone for good. It is a draft from which nobody ever got a code.',
  removeAction: 'Remove it',
  removed: 'The book is removed.',
};
