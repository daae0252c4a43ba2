import type { Source, SyntaxNode } from '../support/read-sources.ts';
import { lineAt } from './functions.ts';

/**
 * `path:line name` of each exported name of a file that no docstring stands before. One is enough for a shape and the
 * type of the same name.
 */
export function withoutDocstring({ path, text, tree }: Source): string[] {
  const bytes = Buffer.from(text);
  const declarations = (tree.body as SyntaxNode[])
    .filter(({ type }) => /^Export(Default)?Declaration$/.test(type))
    .map((node) => ({
      name: namesOf(node.declaration as SyntaxNode),
      line: lineAt(text, node.span.start),
      isSaid: endsWithDocstring(bytes.subarray(0, node.span.start - 1).toString()),
    }));
  const said = new Set(declarations.filter(({ isSaid }) => isSaid).map(({ name }) => name));
  return declarations.filter(({ name }) => !said.has(name)).map(({ name, line }) => `${path}:${line} ${name}`);
}

function endsWithDocstring(before: string): boolean {
  const text = before.trimEnd();
  return text.endsWith('*/') && text.startsWith('/**', text.lastIndexOf('/*'));
}

function namesOf(declaration: SyntaxNode): string {
  const declared = (declaration.declarations ?? [declaration]) as SyntaxNode[];
  return declared
    .map((node) => (node.identifier ?? node.id) as SyntaxNode)
    .map((name) => String(name.value))
    .join(', ');
}
