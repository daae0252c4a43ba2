/**
 * Finds a name that an object in a JSON text has twice, at any depth. Parsers disagree about which of the two counts,
 * so that a token with one may mean different things to who signed it and to who reads it.
 * @param text well-formed JSON
 * @returns the first such name, or null
 */
export function findDuplicateName(text: string): string | null {
  // One set a level: the names of the object there, or null for a list.
  const levels: (Set<string> | null)[] = [];
  for (const { token, isName } of readTokens(text)) {
    if (token === '{') levels.push(new Set());
    else if (token === '[') levels.push(null);
    else if (token === '}' || token === ']') levels.pop();
    else if (isName) {
      // Two spellings of one name, as "a" and "\u0061", are one name.
      const name = String(JSON.parse(token));
      const names = levels.at(-1);
      if (names?.has(name)) return name;
      names?.add(name);
    }
  }
  return null;
}

function* readTokens(text: string): Generator<{ token: string; isName: boolean }> {
  const pattern = /"(?:[^"\\]|\\.)*"|[{}[\]]/gs;
  for (const match of text.matchAll(pattern)) {
    const token = match[0];
    const isName = token.startsWith('"') && /^\s*:/.test(text.slice(match.index + token.length));
    yield { token, isName };
  }
}
