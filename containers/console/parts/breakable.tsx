import { Fragment } from 'preact';

/** A piece of an address, such as `hooks.` or `example/`: up to its marks. */
const piece = /[^/.:@?&=_-]*[/.:@?&=_-]+|[^/.:@?&=_-]+/g;

/** An address that goes to the next line behind one of its marks, and within a word only where a word is too long. */
export function Breakable({ text }: { text: string }) {
  return (
    <>
      {[...text.matchAll(piece)].map(({ 0: found, index }) => (
        <Fragment key={index}>
          {index > 0 && <wbr />}
          {found}
        </Fragment>
      ))}
    </>
  );
}
