/** Characters of a line that a comment keeps to. The formatter keeps code to them, and leaves comments as they are. */
export const lineWidth = 120;

/** `path:line width` of each line of a file that holds a comment and nothing else and is wider than lineWidth. */
export function wideComments({ path, text }: { path: string; text: string }): string[] {
  return text.split('\n').flatMap((line, at) => (isWideComment(line) ? [`${path}:${at + 1} ${[...line].length}`] : []));
}

const isWideComment = (line: string) => /^\s*(\/\*|\*( |$)|\/\/)/.test(line) && [...line].length > lineWidth;
