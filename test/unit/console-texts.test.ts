import { fileURLToPath } from 'node:url';
import { describe, expect, test } from '@jest/globals';
import { lineAt } from '../measure/functions.ts';
import { readSources, type Source, type SyntaxNode, walk } from '../support/read-sources.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const components = readSources(root, ['containers/console']).filter(({ path }) => path.endsWith('.tsx'));

/** Attributes that people read or hear. */
const spokenAttributes =
  /^(alt|aria-(label|description|placeholder|roledescription|valuetext)|label|placeholder|title)$/;
/** A word of two letters: marks between texts, such as `·` and `(`, are the same in every language. */
const word = /\p{L}{2}/u;

/** Where a component has a text of its own. */
function literalTexts({ path, text, tree }: Source): string[] {
  return [...walk(tree)].flatMap((node) => {
    const found = literalOf(node);
    return found !== null && word.test(found) ? [`${path}:${lineAt(text, node.span.start)} ${found.trim()}`] : [];
  });
}

function literalOf(node: SyntaxNode): string | null {
  if (node.type === 'JSXText') return String(node.value);
  if (node.type === 'JSXExpressionContainer') return stringOf(node.expression);
  if (node.type !== 'JSXAttribute') return null;
  const { value: name } = node.name as { value: string };
  return spokenAttributes.test(name) ? stringOf(node.value) : null;
}

function stringOf(node: unknown): string | null {
  const literal = node as SyntaxNode | null;
  return literal?.type === 'StringLiteral' ? String(literal.value) : null;
}

describe('the console’s texts', () => {
  test('stand in the messages of each language, and none in a component', () => {
    expect(components.length).toBeGreaterThan(10);
    expect(components.flatMap(literalTexts)).toEqual([]);
  });

  test('become markup nowhere', () => {
    const unsafe = /dangerouslySetInnerHTML|\.innerHTML|\.outerHTML|insertAdjacentHTML|document\.write/;
    expect(components.filter(({ text }) => unsafe.test(text)).map(({ path }) => path)).toEqual([]);
  });
});
