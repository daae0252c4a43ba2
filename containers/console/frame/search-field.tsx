import { useEffect, useRef, useState } from 'preact/hooks';
import { address, goTo, linkTo } from '../address/address.ts';
import { messages } from '../messages/messages.ts';
import { Button } from '../parts/button.tsx';

/** The field of every page by which a code or a user is found. The key / leads to it from anywhere. */
export function SearchField() {
  const text = messages().shell;
  const field = useRef<HTMLInputElement>(null);
  const { path, query } = address.value;
  const asked = path === '/find' ? (query.get('q') ?? '') : '';
  const [typed, setTyped] = useState(asked);
  useEffect(() => setTyped(asked), [asked]);
  useEffect(() => {
    const focus = (event: KeyboardEvent) => {
      if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target)) return;
      if (document.querySelector('dialog[open]') !== null) return;
      event.preventDefault();
      field.current?.focus();
      field.current?.select();
    };
    addEventListener('keydown', focus);
    return () => removeEventListener('keydown', focus);
  }, []);
  return (
    <search class="search">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          if (typed.trim() !== '') goTo(linkTo('/find', { q: typed.trim() }));
        }}
      >
        <label class="visually-hidden" for="search">
          {text.searchLabel}
        </label>
        <input
          ref={field}
          id="search"
          type="search"
          dir="auto"
          placeholder={text.searchHint}
          title={text.searchKey}
          aria-keyshortcuts="/"
          autocomplete="off"
          autocapitalize="off"
          spellcheck={false}
          value={typed}
          onInput={(event) => setTyped(event.currentTarget.value)}
        />
        <Button type="submit">{text.search}</Button>
      </form>
    </search>
  );
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))
  );
}
