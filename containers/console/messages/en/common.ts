import { countInEnglish as count } from '../../language/plurals.ts';

/** Words that several pages share. */
export const common = {
  loading: 'Loading…',
  loadMore: 'Show more',
  nothingSoFar: 'Nothing that fits so far. There is more to look through.',
  lookFurther: 'Look further',
  timesOf: (zone: string) => `Times are those of ${zone}.`,
  tryAgain: 'Try again',
  cancel: 'Cancel',
  /** A button that asks something first. */
  asking: (button: string) => `${button}…`,
  optional: 'optional',
  yes: 'Yes',
  no: 'No',
  copy: 'Copy',
  copied: 'Copied.',
  viewerTime: (moment: string) => `${moment} on your clock`,
  inZone: (moment: string, zone: string) => `${moment} (${zone})`,
  typeToConfirm: (text: string) => `Type “${text}” to confirm`,
  typedOtherwise: 'This is not the same text yet.',
  codes: (n: number) => count(n, { one: 'code', other: 'codes' }),
  days: (n: number) => count(n, { one: 'day', other: 'days' }),
  asTable: 'The same as a table',
  dropHere: 'Drop a file here, or choose one',
  chooseFile: 'Choose a file',
  chosenFile: (name: string, size: string) => `${name}, ${size}`,
  uploading: (share: string) => `Sending: ${share}`,
  working: 'Sent. The server is working on it…',
  listOf: (title: string) => `List: ${title}`,
  status: { draft: 'Draft', active: 'Active', paused: 'Paused', closed: 'Closed' },
};
