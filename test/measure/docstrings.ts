import type { Source, SyntaxNode } from '../support/read-sources.ts';
import { lineAt } from './functions.ts';

/** `path:line name` of each exported declaration of a file that no docstring stands before. */
export function withoutDocstring({ path, text, tree }: Source): string[] {
  const bytes = Buffer.from(text);
  return (tree.body as SyntaxNode[])
    .filter(({ type }) => /^Export(Default)?Declaration$/.test(type))
    .filter(({ span }) => !endsWithDocstring(bytes.subarray(0, span.start - 1).toString()))
    .map((node) => `${path}:${lineAt(text, node.span.start)} ${namesOf(node.declaration as SyntaxNode)}`);
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
