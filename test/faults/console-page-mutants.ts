import type { Mutant } from './mutant-list.ts';

const controls = 'test/console/controls.test.ts';
const attacks = 'test/console/attacks.test.ts';
const flows = 'test/console/flows.test.ts';
const badInput = 'test/console/bad-input.test.ts';
const pages = 'test/console/pages.test.ts';
const operations = 'test/console/operations.test.ts';
const layout = 'test/console/layout.test.ts';
const parts = 'containers/console/parts';
const styles = 'containers/console/styles';

const named = 'has a name of its own that holds what is seen of it (en)';
const byTab = 'is reached by the Tab key alone, and seen to have the focus';
const publicBook = 'a book with a public code shows the code, and no stock that could run out';
const asked = 'that asks something keeps the focus in its question, and has it back after Escape';

/** What makes the console's pages usable by everybody, and of no use to an attacker: each is tried in a browser. */
export const consolePageMutants: Mutant[] = [
  {
    takesOut: 'the label of a field',
    file: `${parts}/field.tsx`,
    edits: [{ find: '      <label for={id}>\n        {label}', replace: '      <label>\n        {label}' }],
    testFile: controls,
    caughtBy: named,
  },
  {
    takesOut: 'the label of a box to tick',
    file: `${parts}/field.tsx`,
    edits: [{ find: '<label for={id}>{label}</label>', replace: '<span>{label}</span>' }],
    testFile: controls,
    caughtBy: named,
  },
  {
    takesOut: 'what tells one row’s button from another’s',
    file: 'containers/console/pages/keys-page.tsx',
    edits: [
      {
        find: 'aria-label={text.keys.revokeOf(names.get(key.id) ?? key.name)}',
        replace: 'data-name={text.keys.revokeOf(names.get(key.id) ?? key.name)}',
      },
    ],
    testFile: controls,
    caughtBy: named,
  },
  {
    takesOut: 'the numbers of rows that are called the same',
    file: `${parts}/row-names.ts`,
    edits: [{ find: 'count === 1 ? name :', replace: 'count > 0 ? name :' }],
    testFile: controls,
    caughtBy: named,
  },
  {
    takesOut: 'the words on a button from its name',
    file: 'containers/console/messages/en/keys.ts',
    edits: [{ find: '(name: string) => `Revoke', replace: '(name: string) => `End' }],
    testFile: controls,
    caughtBy: named,
  },
  {
    takesOut: 'the line around what has the focus',
    file: `${styles}/base.css`,
    edits: [{ find: ':focus-visible {\n  outline: 2px solid', replace: ':focus-visible {\n  outline: 0 solid' }],
    testFile: controls,
    caughtBy: byTab,
  },
  {
    takesOut: 'the line around the button that chooses a file',
    file: `${styles}/parts.css`,
    edits: [
      {
        find: '.drop:has(input:focus-visible) label {\n  outline: 2px',
        replace: '.drop:has(input:focus-visible) label {\n  outline: 0',
      },
    ],
    testFile: controls,
    caughtBy: byTab,
  },
  {
    takesOut: 'a button from the order of the Tab key',
    file: 'containers/console/frame/search-field.tsx',
    edits: [{ find: '<Button type="submit">', replace: '<Button type="submit" tabIndex={-1}>' }],
    testFile: controls,
    caughtBy: byTab,
  },
  {
    takesOut: 'the return of the focus from a question',
    file: `${parts}/dialog.tsx`,
    edits: [{ find: '(isThere ? before :', replace: '(!isThere ? before as HTMLElement :' }],
    testFile: controls,
    caughtBy: asked,
  },
  {
    takesOut: 'the hold that a question has on the focus',
    file: `${parts}/dialog.tsx`,
    edits: [{ find: '    element.showModal();\n    //', replace: '    element.show();\n    //' }],
    testFile: controls,
    caughtBy: asked,
  },
  {
    takesOut: 'the place of the focus where the button is gone',
    file: `${parts}/dialog.tsx`,
    edits: [{ find: "document.querySelector<HTMLElement>('main h1'))?.focus()", replace: 'null)?.focus()' }],
    testFile: controls,
    caughtBy: 'that is gone with what it did leaves the focus on the page’s heading',
  },
  {
    takesOut: 'the breaking of long words',
    file: `${styles}/base.css`,
    edits: [{ find: 'strong {\n  overflow-wrap: anywhere;', replace: 'strong {\n  overflow-wrap: normal;' }],
    testFile: pages,
    caughtBy: 'names stay within the narrowest screen, wherever they stand: one long word',
  },
  {
    takesOut: 'the own scrolling of wide tables',
    file: `${styles}/tables.css`,
    edits: [{ find: '.table-scroll {\n  overflow-x: auto;', replace: '.table-scroll {\n  overflow-x: visible;' }],
    testFile: badInput,
    caughtBy: 'a user and a book with one long word in the name are found and shown as they are',
  },
  {
    takesOut: 'the stacking of a list’s rows on narrow screens',
    file: `${styles}/tables.css`,
    edits: [
      {
        find: '@media (max-width: 30rem) {\n  .rows,\n  .rows tbody',
        replace: '@media (max-width: 1rem) {\n  .rows,\n  .rows tbody',
      },
    ],
    testFile: pages,
    caughtBy: 'have no barrier, no foreign request and no violation (light, 320, en)',
  },
  {
    takesOut: 'the breaking of long words in a stacked row',
    file: `${styles}/tables.css`,
    edits: [
      {
        find: 'grid-template-columns: 5.75rem minmax(0, 1fr);',
        replace: 'grid-template-columns: 5.75rem max-content;',
      },
    ],
    testFile: pages,
    caughtBy: 'names stay within the narrowest screen, wherever they stand: one long word',
  },
  {
    takesOut: 'the public code in the place of a stock on a book’s card',
    file: 'containers/console/pages/overview/book-card.tsx',
    edits: [{ find: '{book.publicCode === null ? (', replace: '{book.publicCode !== undefined ? (' }],
    testFile: operations,
    caughtBy: publicBook,
  },
  {
    takesOut: 'the lack of a share that was given of a public book’s codes',
    file: 'containers/console/pages/overview/book-card.tsx',
    edits: [{ find: '{!isPublic && (', replace: '{book.publicCode !== undefined && (' }],
    testFile: operations,
    caughtBy: publicBook,
  },
  {
    takesOut: 'the public code in the place of a stock on a book’s page',
    file: 'containers/console/pages/book/book-numbers.tsx',
    edits: [{ find: 'const isPublic = hasPublicStock(book.data!);', replace: 'const isPublic = false;' }],
    testFile: operations,
    caughtBy: publicBook,
  },
  {
    takesOut: 'the contrast of secondary text',
    file: `${styles}/tokens.css`,
    edits: [{ find: '--muted: light-dark(#59625d', replace: '--muted: light-dark(#8a938e' }],
    testFile: pages,
    caughtBy: 'have no barrier, no foreign request and no violation (light, 320, en)',
  },
  {
    takesOut: 'the mark of English words on a Spanish page',
    file: `${parts}/field-error.tsx`,
    edits: [{ find: '<bdi class="server-words" lang="en">', replace: '<bdi class="server-words">' }],
    testFile: flows,
    caughtBy: 'the server’s own words are marked as English',
  },
  {
    takesOut: 'the refusal of frames',
    file: 'containers/api/console/console-pages.ts',
    edits: [
      { find: '    "frame-ancestors \'none\'",\n', replace: '' },
      { find: "  'x-frame-options': 'DENY',\n", replace: '' },
    ],
    testFile: attacks,
    caughtBy: 'no page of the console is shown in a frame of another port of the same machine',
  },
  {
    takesOut: 'the check of where a browser’s request comes from',
    file: 'containers/api/auth/same-origin.ts',
    edits: [{ find: "if (site === 'same-origin') return;", replace: "if (site !== 'nowhere') return;" }],
    testFile: attacks,
    caughtBy: 'a page of another port of the same machine changes nothing and reads nothing by scripts',
  },
  {
    takesOut: 'the roles of pages',
    file: 'containers/console/main.tsx',
    edits: [{ find: ') : found.page.roles.includes(role) ? (', replace: ') : found.page.roles.length > 0 ? (' }],
    testFile: attacks,
    caughtBy: 'the address of a page that is not for a role shows it to nobody of that role',
  },
  {
    takesOut: 'the making of text out of what was stored',
    file: 'containers/console/pages/code/code-story.tsx',
    edits: [
      {
        find: '<p dir="auto">{sentenceOf(event, zone)}</p>',
        replace:
          '<p dir="auto" ref={(p) => void p?.append(...new DOMParser().parseFromString(sentenceOf(event, zone), "text/html").body.childNodes)} />',
      },
    ],
    testFile: attacks,
    caughtBy: 'markup in any text that somebody can store is text on every page',
  },
  {
    takesOut: 'the line break from a badge in a list on a phone',
    file: `${styles}/tables.css`,
    edits: [{ find: '.rows .badge {\n    white-space: normal;', replace: '.rows .badge {\n    white-space: nowrap;' }],
    testFile: layout,
    caughtBy: 'every page and question keeps its layout in Spanish (320)',
  },
  {
    takesOut: 'the line on which numbers stand beside one another',
    file: `${styles}/parts.css`,
    edits: [
      {
        find: 'flex-direction: column-reverse;\n  justify-content: flex-end;',
        replace: 'flex-direction: column-reverse;\n  justify-content: flex-start;',
      },
    ],
    testFile: layout,
    caughtBy: 'every page and question keeps its layout in Spanish (320)',
  },
  {
    takesOut: 'the lines of a long choice',
    file: `${styles}/base.css`,
    edits: [
      {
        find: 'padding-right: 2rem;\n    white-space: normal;',
        replace: 'padding-right: 2rem;\n    white-space: nowrap;',
      },
    ],
    testFile: layout,
    caughtBy: 'every page and question keeps its layout in Spanish (320)',
  },
  {
    takesOut: 'the room for a list’s buttons on a laptop',
    file: `${styles}/tables.css`,
    edits: [{ find: '@media (max-width: 75rem)', replace: '@media (max-width: 35rem)' }],
    testFile: layout,
    caughtBy: 'every page and question keeps its layout in Spanish (1024)',
  },
  {
    takesOut: 'the key by which what a job left is brought once',
    file: 'containers/console/pages/jobs/use-new-job.ts',
    edits: [{ find: '{ key: once, contentType', replace: '{ key, contentType' }],
    testFile: operations,
    caughtBy: 'rows that were refused are brought again, those alone, and a job over all books says so',
  },
  {
    takesOut: 'the mark behind the beginning of a code that is too long',
    file: 'containers/console/pages/book/upload-codes.tsx',
    edits: [{ find: "reason === 'code-too-long' ?", replace: "reason === 'heading' ?" }],
    testFile: flows,
    caughtBy: 'codes are generated, and brought from a file whose wrong rows are listed',
  },
  {
    takesOut: 'the badge of a book that has ended',
    file: `${parts}/badge.tsx`,
    edits: [{ find: 'if (hasEnded(book)) return', replace: 'if (hasEnded(book) && book.endsAt === null) return' }],
    testFile: flows,
    caughtBy: 'a book is activated, paused, resumed, extended and closed, the last after its name was typed',
  },
  {
    takesOut: 'the end of a fault with the value that it was about',
    file: 'containers/console/calls/problem.ts',
    edits: [{ find: 'errors.filter(({ path }) => isTold(fieldOf(path)))', replace: 'errors' }],
    testFile: flows,
    caughtBy: 'a time zone that is none is told together with the other faults, in both forms',
  },
];
