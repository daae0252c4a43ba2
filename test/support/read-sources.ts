import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { parseSync } from '@swc/core';

/** A file that another one needs. */
export interface Import {
  /** From the root of the project. */
  path: string;
  /** Needed by the compiler alone: nothing is left of it at run time. */
  isType: boolean;
}

/** A source file of the product, with what it imports. */
export interface Source {
  /** From the root of the project. */
  path: string;
  text: string;
  /** Its syntax tree, whose spans count the bytes of `text` from 1. */
  tree: SyntaxNode;
  /** The project's own files, in the order of the text; one may stand there twice. */
  imports: Import[];
  /** What it imports from elsewhere: `pg`, `node:fs`. */
  packages: string[];
}

/** A node of swc's tree: what all nodes have in common. */
export interface SyntaxNode {
  type: string;
  span: { start: number; end: number };
  [field: string]: unknown;
}

/** Reads every TypeScript and JavaScript file below some folders of a project, in the order of their paths. */
export function readSources(root: string, folders: readonly string[]): Source[] {
  return folders
    .flatMap((folder) => readdirSync(join(root, folder), { recursive: true, withFileTypes: true }))
    .filter(
      (entry) => entry.isFile() && /\.(tsx?|js)$/.test(entry.name) && !entry.parentPath.split('/').includes('dist'),
    )
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .sort()
    .map((path) => readSource(root, path));
}

function readSource(root: string, path: string): Source {
  const text = readFileSync(join(root, path), 'utf8');
  const tree = parseSync(text, {
    syntax: 'typescript',
    tsx: path.endsWith('.tsx'),
    target: 'es2024',
  }) as unknown as SyntaxNode;
  const found = [...walk(tree)].map(importOf).filter((entry) => entry !== null);
  const imports = found
    .filter(({ path: name }) => name.startsWith('.'))
    .map(({ path: name, isType }) => ({ path: relative(root, resolve(root, dirname(path), name)), isType }));
  const packages = found.filter(({ path: name }) => !name.startsWith('.')).map(({ path: name }) => name);
  return { path, text, tree, imports, packages };
}

/** Every node below a node and itself, a node before those in it. */
export function* walk(node: unknown): Generator<SyntaxNode> {
  if (typeof node !== 'object' || node === null) return;
  if (Array.isArray(node)) {
    for (const child of node) yield* walk(child);
    return;
  }
  if (isSyntaxNode(node)) yield node;
  for (const child of Object.values(node)) yield* walk(child);
}

function isSyntaxNode(node: object): node is SyntaxNode {
  return 'type' in node && typeof node.type === 'string' && 'span' in node;
}

/** What a node imports, null where it is no import. A file that is run by its URL counts too. */
function importOf(node: SyntaxNode): Import | null {
  const source = textOf(node.source);
  switch (node.type) {
    case 'ImportDeclaration':
    case 'ExportNamedDeclaration':
    case 'ExportAllDeclaration':
      return source === null ? null : { path: source, isType: node.typeOnly === true };
    case 'CallExpression': {
      const name = (node.callee as SyntaxNode).type === 'Import' ? argumentOf(node) : null;
      return name === null ? null : { path: name, isType: false };
    }
    case 'NewExpression': {
      const name = (node.callee as SyntaxNode).value === 'URL' ? argumentOf(node) : null;
      return name !== null && /^\..*\.(ts|js)$/.test(name) ? { path: name, isType: false } : null;
    }
    default:
      return null;
  }
}

function argumentOf(node: SyntaxNode): string | null {
  const [first] = (node.arguments ?? []) as { expression: SyntaxNode }[];
  return first === undefined ? null : textOf(first.expression);
}

/** Every string and template within a tree, such as its statements of SQL; what a template fills in is `…` there. */
export function textsOf(tree: SyntaxNode): string[] {
  return [...walk(tree)].flatMap((node) => {
    if (node.type !== 'TemplateLiteral') return textOf(node) ?? [];
    return (node.quasis as { cooked: string }[]).map(({ cooked }) => cooked).join('…');
  });
}

function textOf(node: unknown): string | null {
  const literal = node as SyntaxNode | null | undefined;
  return literal?.type === 'StringLiteral' ? (literal.value as string) : null;
}
