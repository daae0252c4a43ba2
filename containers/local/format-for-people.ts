/**
 * Formats a line of the log for a terminal: the local time of day, the level, the message and the fields. Any other
 * text is returned as it is.
 * @param line JSON, with a line feed at its end
 */
export function formatForPeople(line: string): string {
  let entry: Record<string, unknown>;
  try {
    entry = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const { level, time, service: _service, msg, ...fields } = entry;
  const { stack, ...error } = (fields.error ?? {}) as Record<string, unknown>;
  if (typeof stack === 'string') fields.error = error;
  const shown = Object.entries(fields).map(([name, value]) => ` ${name}=${plain(value)}`);
  const trace = typeof stack === 'string' ? `\n${stack.replaceAll(/^/gm, '    ')}` : '';
  return `${timeOfDay(time)} ${String(level).padEnd(5)} ${String(msg)}${shown.join('')}${trace}\n`;
}

function plain(value: unknown): string {
  return typeof value === 'string' && /^[^\s"=]+$/.test(value) ? value : JSON.stringify(value);
}

function timeOfDay(time: unknown): string {
  return new Date(String(time)).toTimeString().slice(0, 8);
}
