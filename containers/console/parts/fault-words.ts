import { formatNumber } from '../language/formats.ts';
import { type Messages, messages } from '../messages/messages.ts';

type Words = Messages['problems']['faults'];

/** Sentences of the server about a field, and what the console says in their place. */
const known: readonly (readonly [RegExp, (words: Words, found: string) => string])[] = [
  [
    /^(?:must have|(?:is no code: )?a code has|a pattern has) at most (\d+) characters/,
    ({ atMostCharacters }, most) => atMostCharacters(number(most)),
  ],
  [
    /^(?:must have|(?:is no code: )?a code has|a pattern has) at least (\d+) characters/,
    ({ atLeastCharacters }, least) => atLeastCharacters(number(least)),
  ],
  [/^must be (\d+) or more$/, ({ orMore }, least) => orMore(number(least))],
  [/^must be (\d+) or less$/, ({ orLess }, most) => orLess(number(most))],
  [/^must be after startsAt/, ({ notAfterStart }) => notAfterStart],
  [/^must be before endsAt/, ({ notBeforeEnd }) => notBeforeEnd],
  [/^must (?:be after|not be before) from$/, ({ notAfterFrom }) => notAfterFrom],
  [/^must not be in the future$/, ({ future }) => future],
  [/^must be in the future$/, ({ past }) => past],
  [/^is a local time that .* twice/, ({ twice }) => twice],
  [/^is a local time that .* does not have/, ({ never }) => never],
  [/^is not a day and time that the calendar has/, ({ noSuchDay }) => noSuchDay],
  [/^must lie in the years /, ({ years }) => years],
  [
    /^(?:is no code: )?a (?:code|pattern) has only [^;]*; replace "(.+)" at character \d+$/,
    ({ replace }, character) => replace(character),
  ],
  [/"#", which stands for one symbol/, ({ noPlace }) => noPlace],
  [/NUL|surrogate/, ({ unstorable }) => unstorable],
  [/^must hold no user name/, ({ credentials }) => credentials],
  [/^must have no fragment$/, ({ fragment }) => fragment],
  // What the field takes is said before it, and these say no more.
  [/^(?:is required|must not be empty|must be a text that is not blank)$/, () => ''],
  [/^must (?:be (?:an?|the|one of|true or) |have at least 1 item$)/, () => ''],
];

/**
 * What the server says of a field, in the language in use: empty where it says no more than what the field takes; null
 * where the console does not know the sentence.
 * @param message in the server's words, which are English
 */
export function faultWords(message: string): string | null {
  for (const [pattern, wordsOf] of known) {
    const match = pattern.exec(message);
    if (match !== null) return wordsOf(messages().problems.faults, match[1] ?? '');
  }
  return null;
}

function number(digits: string): string {
  return formatNumber(Number(digits));
}
