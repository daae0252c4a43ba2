import { useState } from 'preact/hooks';
import { call } from '../../calls/call.ts';
import { fieldError } from '../../calls/problem.ts';
import type { Book, GeneratedDeck } from '../../calls/types.ts';
import { useSubmit } from '../../calls/use-submit.ts';
import { formatNumber } from '../../language/formats.ts';
import { readWholeNumber } from '../../language/read-number.ts';
import { messages } from '../../messages/messages.ts';
import { Button } from '../../parts/button.tsx';
import { CheckField, TextField } from '../../parts/field.tsx';
import { announce } from '../../parts/live.tsx';
import { ProblemBox } from '../../parts/problem-box.tsx';

/** Generates a deck of codes. */
export function GenerateCodes({ book, onDone }: { book: Book; onDone: () => void }) {
  const text = messages().decks;
  const [count, setCount] = useState('1000');
  const [pattern, setPattern] = useState(() => `${prefixOf(book.name)}-####-####`);
  const [isDigitsOnly, setDigitsOnly] = useState(false);
  const [isGuessable, setGuessable] = useState(false);
  const [made, setMade] = useState<GeneratedDeck | null>(null);
  const { submit, isBusy, problem } = useSubmit<GeneratedDeck>(
    (key) => {
      const body = {
        count: readWholeNumber(count) ?? count,
        pattern: pattern.trim(),
        ...(isDigitsOnly ? { alphabet: 'digits' } : {}),
        ...(isGuessable ? { allowGuessable: true } : {}),
      };
      return call('POST', `/v1/books/${book.id}/codes/generate`, { body, key });
    },
    (deck) => {
      const words = messages().decks;
      announce(words.generated(deck.count, deck.example, formatNumber(deck.guessOdds)));
      setMade(deck);
      onDone();
    },
  );
  return (
    <form
      class="panel stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        void submit();
      }}
    >
      <h2>{text.generateTitle}</h2>
      <p class="muted">{text.generateIntro}</p>
      <TextField
        {...text.count}
        inputMode="numeric"
        autocomplete="off"
        value={count}
        onValue={setCount}
        error={fieldError(problem, 'count')}
      />
      <TextField
        {...text.pattern}
        autocomplete="off"
        spellcheck={false}
        value={pattern}
        onValue={setPattern}
        error={fieldError(problem, 'pattern')}
      />
      <CheckField {...text.digitsOnly} isOn={isDigitsOnly} onValue={setDigitsOnly} />
      {(problem?.kind === 'pattern-too-small' || isGuessable) && (
        <CheckField {...text.allowGuessable} isOn={isGuessable} onValue={setGuessable} />
      )}
      <ProblemBox problem={problem} />
      <div class="actions">
        <Button kind="primary" type="submit" isBusy={isBusy}>
          {isBusy ? text.generating : text.generate}
        </Button>
      </div>
      {made !== null && problem === null && !isBusy && (
        <p class="outcome">{text.generated(made.count, made.example, formatNumber(made.guessOdds))}</p>
      )}
    </form>
  );
}

/** The first letters of a name's words, as people begin their codes: `VE26` for “Verano 2026”. */
function prefixOf(name: string): string {
  const words = name
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
    .toUpperCase()
    .split(/[^A-Z0-9]+/)
    .filter((word) => word !== '');
  const prefix = words.map((word) => (/^\d+$/.test(word) ? word.slice(-2) : word.slice(0, 2))).join('');
  return prefix === '' ? 'CODE' : prefix.slice(0, 6);
}
