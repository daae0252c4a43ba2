import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildConsoleIfStale } from '../../../containers/console/build/build-console.ts';
import { startTestPostgres } from '../../support/start-postgres.ts';
import { findChromium } from '../support/find-chromium.ts';
import { type Look, languages, themes, widths } from '../support/looks.ts';
import { startConsole, type TestConsole } from '../support/start-console.ts';
import { makeShowCase, type ShowCase } from './show-case.ts';
import { goTo, openAs, type View, viewsOf, waitForChart } from './views.ts';

const usage = `npm run screenshots [-- <part of a name> …] [--width 320] [--theme dark] [--language es] [--readme]

Takes a picture of each page of the console, in its states and with its questions, in both languages, both themes and
three widths, and keeps them in test/console/screenshots/: <name>-<width>-<theme>-<language>.png. Parts of names choose
pages, the options choose looks. A page that does not keep its layout is named, and the run fails. --readme takes the
README's picture anew, docs/console/book.png, and nothing else.
The data is made for it, in a database that is gone afterwards.`;

const readmePicture = join(import.meta.dirname, '../../../docs/console/book.png');

const { values, positionals } = parseArgs({
  options: {
    width: { type: 'string' },
    theme: { type: 'string' },
    language: { type: 'string' },
    readme: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
  allowPositionals: true,
});

if (values.help) console.log(usage);
else if (findChromium() === null) {
  console.error('screenshots: there is no Chromium on this machine (apt-get install chromium-headless-shell)');
  process.exitCode = 1;
} else await run();

async function run(): Promise<void> {
  await buildConsoleIfStale();
  const postgres = await startTestPostgres();
  const browserConsole = await startConsole('screenshots', { WEBHOOK_ALLOW_LOOPBACK: 'true' });
  try {
    const showCase = await makeShowCase(browserConsole);
    if (values.readme) await takeReadmePicture(browserConsole, showCase);
    else await takeAll(browserConsole, showCase);
  } finally {
    await browserConsole.close();
    await postgres.stop();
  }
}

async function takeAll(console: TestConsole, showCase: ShowCase): Promise<void> {
  const isWanted = ({ name }: View) => positionals.length === 0 || positionals.some((part) => name.includes(part));
  const views = viewsOf(showCase).filter(isWanted);
  let taken = 0;
  for (const look of wantedLooks()) {
    for (const view of views) {
      const fault = await take(console, showCase, view, look).catch(String);
      if (typeof fault !== 'string') taken += 1;
      else {
        process.exitCode = 1;
        process.stderr.write(`${view.name} (${Object.values(look).join(', ')}): ${fault}\n`);
      }
    }
  }
  process.stdout.write(`${taken} pictures are in test/console/screenshots/\n`);
}

function wantedLooks(): Look[] {
  const all = languages.flatMap((language) =>
    themes.flatMap((theme) => widths.map((width): Look => ({ language, theme, width }))),
  );
  const isWanted = (name: keyof Look) => (look: Look) =>
    values[name] === undefined || String(look[name]) === values[name];
  return all.filter(isWanted('width')).filter(isWanted('theme')).filter(isWanted('language'));
}

async function take(console: TestConsole, showCase: ShowCase, view: View, look: Look): Promise<void> {
  const window = await openAs(console, showCase, view.as, look);
  await goTo(window, view);
  await window.picture(view.name);
  await window.look(view.name);
  await window.close();
}

async function takeReadmePicture(console: TestConsole, { books }: ShowCase): Promise<void> {
  const window = await console.openSignedIn({ width: 1024 });
  await window.page.setViewportSize({ width: 1280, height: 960 });
  await window.visit(`/books/${books.running}?step=hour&days=7`);
  await waitForChart(window.page);
  await window.page.screenshot({ path: readmePicture });
  await window.close();
}
