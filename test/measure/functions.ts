import { type Source, type SyntaxNode, walk } from '../support/read-sources.ts';

/** A function or method as it stands in a file. */
export interface FunctionSize {
  /** `core/books/list-books.ts:12 listBooks`. */
  place: string;
  /** From its first line to its last. */
  lines: number;
}

const functionTypes = new Set([
  'FunctionDeclaration',
  'FunctionExpression',
  'ArrowFunctionExpression',
  'ClassMethod',
  'PrivateMethod',
  'Constructor',
  'MethodProperty',
  'GetterProperty',
  'SetterProperty',
]);

/** Every function of a file, those within others too. */
export function functionsOf(source: Source): FunctionSize[] {
  const names = namesOf(source.tree);
  return [...walk(source.tree)]
    .filter((node) => functionTypes.has(node.type))
    .map((node) => {
      const first = lineAt(source.text, node.span.start);
      const name = names.get(node) ?? nameIn(node) ?? '(no name)';
      return { place: `${source.path}:${first} ${name}`, lines: lineAt(source.text, node.span.end) - first + 1 };
    });
}

/** The names of the variables that functions without one are given to. */
function namesOf(tree: SyntaxNode): Map<unknown, string> {
  const declared = [...walk(tree)].filter(({ type }) => type === 'VariableDeclarator');
  return new Map(declared.map((node) => [node.init, String((node.id as SyntaxNode).value)]));
}

function nameIn(node: SyntaxNode): string | undefined {
  if (node.type === 'Constructor') return 'constructor';
  const name = (node.identifier ?? node.key) as SyntaxNode | null | undefined;
  return name == null ? undefined : String(name.value);
}

/** @param offset of a span: bytes from 1 */
export function lineAt(text: string, offset: number): number {
  return Buffer.from(text)
    .subarray(0, offset - 1)
    .toString()
    .split('\n').length;
}
