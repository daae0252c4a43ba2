import type { StockNews } from '../../core/index.ts';

/** A message of a topic: by mail it has a subject, and by its attributes a subscription chooses. */
export interface TopicMessage {
  /** As SNS takes it: visible ASCII, at most 99 characters. */
  subject: string;
  text: string;
  attributes: Record<string, string>;
}

const subjectMaxChars = 99;

/** Writes what people are told of a book that runs out. */
export function writeMail({ tenant, bookId, name, stock, codes, available, at }: StockNews): TopicMessage {
  const isNone = stock === 'none';
  const left = isNone ? `has none of its ${codes} codes left` : `has ${available} of its ${codes} codes left`;
  const follows = isNone
    ? 'Whoever asks for another code of it is refused.'
    : 'Once they are gone, whoever asks for another one is refused.';
  return {
    subject: toSubject(`${isNone ? 'No' : 'Few'} codes left: ${name}`),
    text: [
      `The book “${name}” of the tenant ${tenant} ${left}. ${follows}`,
      '',
      `Book: ${bookId}`,
      `Seen: ${at}`,
      '',
      'More codes are generated or uploaded on the book’s page in the console, or by',
      `POST /v1/books/${bookId}/codes/generate. A book that is closed is told of no more.`,
    ].join('\n'),
    attributes: { type: isNone ? 'book.exhausted' : 'book.low-stock', tenant, bookId },
  };
}

/** Letters lose their accents, and what has no ASCII is a question mark: the text has the name as it is. */
function toSubject(text: string): string {
  const ascii = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .replace(/[^\x20-\x7e]/gu, '?');
  return ascii.slice(0, subjectMaxChars).trim();
}
