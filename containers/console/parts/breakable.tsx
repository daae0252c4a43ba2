import { Fragment } from 'preact';

/** Behind these an address may always go to the next line. */
const part = /[^/?&=]*[/?&=]+|[^/?&=]+/g;
/** What is longer is wider than the narrowest screen, and may do so behind smaller marks too, as of a host's name. */
const partMaxCharacters = 16;
const smallPart = /[^.:@_-]*[.:@_-]+|[^.:@_-]+/g;

/**
 * An address that goes to the next line behind one of its marks, and within a word only where a word is too long. What
 * it stands in needs a name of its own, since browsers make that of its pieces with blanks between them.
 */
export function Breakable({ text }: { text: string }) {
  return (
    <>
      {piecesOf(text).map(({ piece, at }) => (
        <Fragment key={at}>
          {at > 0 && <wbr />}
          {piece}
        </Fragment>
      ))}
    </>
  );
}

/** @returns the pieces that stay whole, with the places at which they begin */
function piecesOf(text: string): { piece: string; at: number }[] {
  return [...text.matchAll(part)].flatMap(({ 0: found, index }) =>
    found.length <= partMaxCharacters
      ? [{ piece: found, at: index }]
      : [...found.matchAll(smallPart)].map((inner) => ({ piece: inner[0], at: index + inner.index })),
  );
}
